"""What the commands that talk to a server share, and the answers that it gives in place of this machine."""

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any

from typer import Option

from aos.cli.answer import Answer, Look
from aos.domain.forecasts.verdicts import Limits
from aos.errors import Exit
from aos.wire.policies import POLICY_EXITS
from aos.wire.results.documents import EXITS

Server = Annotated[
    str | None,
    Option(
        "--server", metavar="URL", help="The server to ask (else AOS_BASE_URL, else that of the context)."
    ),
]
Context = Annotated[
    str | None, Option("--context", metavar="NAME", help="A login by its name (else the last one).")
]

Elsewhere = Annotated[
    str | None,
    Option(
        "--server",
        metavar="URL",
        help="Ask that server, as whoever is logged in there, instead of this machine.",
    ),
]


def simulated(
    server: str,
    source: str,
    inputs: Mapping[str, Any],
    asked: Limits,
    *,
    fail_on: frozenset[str],
    **terms: Any,
) -> Answer:
    """A server's forecast of the plan at `source`, with its catalog and permissions; `terms` as for `simulate_there`.

    Raises InputError(invalid_plan) where the server finds something wrong with the plan, as it would be here.
    """
    from aos.api.server.session import simulate_there

    told = simulate_there(server, source, inputs, asked, **terms)
    decision = told.document["verdict"]
    status = EXITS[decision] if decision in fail_on else Exit.YES
    if decision == "feasible" and told.document.get("approvals") and "approval" in fail_on:
        status = Exit.PENDING
    document = {**told.document, "exit_code": int(status)}

    def text(look: Look) -> str:
        from aos.report.server import status as report

        return report.forecast(document, told.url, *look)

    return Answer(lambda: document, text, status)


def decided(
    server: str, source: str, inputs: Mapping[str, Any], agent: str | None, tenant: str | None
) -> Answer:
    """What a server decides of the plan at `source`: by its rules, permissions and budget. Nothing is changed."""
    from aos.api.server.session import decide_there

    told = decide_there(server, source, inputs, agent, tenant)
    status = POLICY_EXITS.get(told.document["decision"], Exit.NO)
    document = {**told.document, "server": told.url, "exit_code": int(status)}

    def text(look: Look) -> str:
        from aos.report.server import status as report

        return report.decision(document, *look)

    return Answer(lambda: document, text, status)


def capable(server: str) -> Answer:
    """What the caller can do at a server: its skills with their permissions, and the budget that is left."""
    from aos.api.server.session import session

    asked = session(server)
    with closing(asked.client) as client:
        document = {**client.capabilities(), "server": asked.url}

    def text(look: Look) -> str:
        from aos.report.server import status as report

        return report.capabilities(document, *look)

    return Answer(lambda: document, text)


def answered(server: str, query_type: str, params: Mapping[str, Any], run: str | None) -> Answer:
    """A server's answer to a query."""
    from aos.api.server.session import session

    asked = session(server)
    with closing(asked.client) as client:
        said = client.query(query_type, params, run_id=run)
    unknowns = {entry["pointer"].removeprefix("/result/"): entry["reason"] for entry in said["unknowns"]}
    status = Exit.UNDETERMINED if unknowns else Exit.YES

    def text(look: Look) -> str:
        from aos.report import tables

        return tables.answer(said["query_type"], said["result"], unknowns, *look)

    return Answer(lambda: {**said, "exit_code": int(status)}, text, status)
