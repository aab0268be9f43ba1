"""Tools that say what there is: skills, this session, what was tried, what a code means. They only read."""

import time

from aos.api.files.catalogs import find_skill
from aos.api.files.explain import find_code
from aos.api.running.history import measured_of, state_of
from aos.api.running.queries import QUERIES, Question, ask, document
from aos.mcp.documents import session, skill_list
from aos.mcp.plans import LIMITS, cents_of
from aos.mcp.setup import Setup
from aos.mcp.tool import Arguments, Call, Hints, Reply, Tool, takes
from aos.mcp.words import WIDTH
from aos.wire.catalogs.capabilities import skill
from aos.wire.codes import explanation

__all__ = ["TOOLS"]

_HARMLESS = Hints(read_only=True, destructive=False, idempotent=True, open_world=False)


def _skills(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    from aos.report import tables

    catalog = setup.now().catalog
    return Reply(skill_list(catalog), tables.skills(catalog.skills.values(), WIDTH, False))


def _skill(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    from aos.report.learning import card

    catalog = setup.now().catalog
    found = find_skill(catalog, arguments["skill"])
    measured, why = measured_of(setup.ledger, found.id)
    text = card.skill(found, catalog.pools, WIDTH, False, measured=measured, now_ms=time.time() * 1000)
    return Reply(skill(found, measured, why), text)


def _capabilities(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    from aos.report import tables

    now = setup.now()
    question = Question(now.catalog, usual_cents=now.config.budget_cents, ledger=setup.ledger)
    told = session(setup, now, *state_of(question, time.time() * 1000))
    shown = ("may_run", "run_budget_left_cents", "may_request_approval", "may_approve", "rules", "agent")
    return Reply(told, tables.answer("capabilities", {key: told[key] for key in shown}, {}, WIDTH, False))


def _query(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    from aos.report import tables

    now = setup.now()
    question = Question(
        now.catalog,
        arguments.get("goal"),
        cents_of(arguments),
        now.config.budget_cents,
        arguments.get("run"),
        arguments.get("step"),
        setup.ledger,
    )
    reply = ask(arguments["query_type"], question)
    text = tables.answer(reply.query_type, reply.result, reply.unknowns, WIDTH, False)
    return Reply(document(reply), text)


def _explain(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    from aos.report import tables

    name = find_code(arguments["code"])
    return Reply(explanation(name), tables.explain(name, WIDTH, False))


_FREE = {"cost_cents": 0}
_NAME = {"type": "string", "minLength": 1, "maxLength": 256}

TOOLS = (
    Tool(
        "list_skills",
        "List skills",
        "List the skills that steps of a plan can call: purpose, parameters, typical cost and latency, how often they"
        " fail, what they do to the world. Use it before you write a plan.",
        _skills,
        takes({}),
        ("aos.skill-list/1",),
        _HARMLESS,
        _FREE,
    ),
    Tool(
        "describe_skill",
        "Describe a skill",
        "One skill in full: JSON Schemas of parameters and output, cost, latency, failure modes, retries, rate limit;"
        " where each figure is from, and what was measured here.",
        _skill,
        takes({"skill": {**_NAME, "description": "Its id, as list_skills has it"}}, "skill"),
        ("aos.skill/1",),
        _HARMLESS,
        _FREE,
    ),
    Tool(
        "capabilities",
        "What can be done here",
        "What you may do in this session: whether plans can be run and for how much, whether rules hold, whether"
        " approvals can be asked for; defaults, limits, and calls of the last minute.",
        _capabilities,
        takes({}),
        ("aos.mcp-session/1",),
        _HARMLESS,
        _FREE,
    ),
    Tool(
        "query",
        "Ask about skills and past runs",
        "One question between two steps: what is left of the budget, what was tried already, how the last step went,"
        " why a step failed and what helped before, which skills suit a goal.",
        _query,
        takes(
            {
                "query_type": {"enum": list(QUERIES)},
                "goal": {
                    "type": "string",
                    "maxLength": 4_096,
                    "description": "For skills_available_for_goal: what is to be reached",
                },
                "run": {**_NAME, "description": "About that run: its id, or how it starts"},
                "step": {**_NAME, "description": "About that step"},
                "budget_cents": {**LIMITS["budget_cents"], "description": "In place of the run's own"},
            },
            "query_type",
        ),
        ("aos.query/1",),
        _HARMLESS,
        _FREE,
    ),
    Tool(
        "explain_code",
        "Explain a code",
        "What a reason, an error or a failure code means and what to do about it: too_close, TIMEOUT, not_confirmed.",
        _explain,
        takes({"code": _NAME}, "code"),
        ("aos.explain/1",),
        _HARMLESS,
        _FREE,
    ),
)
