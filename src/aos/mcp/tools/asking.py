"""Tools that ask people for an approval, at the server that whoever started this one named.

There is none to approve or to reject: nobody decides on their own request, and machines never do.
"""

from aos.api.server.approvals import exit_of, look
from aos.api.server.session import session
from aos.mcp.plans import INPUTS, PLAN, plan_document
from aos.mcp.setup import Setup
from aos.mcp.tool import Arguments, Call, Hints, Reply, Tool, takes
from aos.sdk.client import Client
from aos.wire.problems import visible
from aos.wire.results.documents import envelope

__all__ = ["TOOLS"]


def _request(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    plan = plan_document(arguments)
    asked = session(setup.server, setup.context)
    with asked.client as client:
        made = client.request_approval(
            "capability",
            plan=plan,
            justification=arguments["justification"],
            inputs=arguments.get("inputs") or None,
            agent_id=setup.agent,
            uses=arguments.get("uses"),
        )
        return _shown(client, made["request_id"], asked.url)


def _status(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    asked = session(setup.server, setup.context)
    with asked.client as client:
        return _shown(client, arguments["request_id"], asked.url)


def _shown(client: Client, request_id: str, server: str) -> Reply:
    document = look(client, request_id).document
    status, level = document["status"], document["required_level"]
    told = {
        **document,
        **envelope("aos.approval-request/1"),
        "changes": None,
        "server": server,
        "exit_code": int(exit_of(status)),
    }
    lines = [f"{status.upper()}  request {request_id}"]
    if exit_of(status).name == "PENDING":
        lines += [
            f"waits for a person of level {level}, until {document['expires_at']}",
            f"A person decides with `aos approve {request_id}` or `aos reject {request_id}`.",
        ]
    elif status == "approved":
        lines.append(f"run_plan with this approval, or `aos run PLAN --approval {request_id}`, uses it up.")
    return Reply(told, "\n".join(visible(line, 400) for line in lines))


TOOLS = (
    Tool(
        "request_approval",
        "Ask for an approval",
        "Ask people for their yes to exactly this plan, where rules or the verdict want one. The server simulates it"
        " and says who has to approve. Returns the request; it is pending until a person decides.",
        _request,
        takes(
            {
                "plan": {**PLAN, "description": "As for simulate_plan"},
                "inputs": INPUTS,
                "justification": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 4_096,
                    "description": "Why it should be run: the approvers read it",
                },
                "uses": {"type": "integer", "minimum": 1, "maximum": 1_000, "description": "1 unless said"},
            },
            *("plan", "justification"),
        ),
        ("aos.approval-request/1",),
        Hints(read_only=False, destructive=False, idempotent=False, open_world=True),
        {"cost_cents": 0},
    ),
    Tool(
        "request_status",
        "How a request stands",
        "How an approval request stands: pending, approved, rejected, expired; who has to decide, and until when.",
        _status,
        takes({"request_id": {"type": "string", "minLength": 1, "maxLength": 64}}, "request_id"),
        ("aos.approval-request/1",),
        Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
        {"cost_cents": 0},
    ),
)
