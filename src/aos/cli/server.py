"""What the commands that talk to a server share, and the answers that it gives in place of this machine."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from aos.cli.answer import Answer, Look
from aos.domain.forecasts.verdicts import Limits
from aos.errors import Exit
from aos.wire.results.documents import envelope

if TYPE_CHECKING:
    from aos.sdk.client import Client

Server = Annotated[
    str | None,
    Option(
        "--server", metavar="URL", help="The server to ask (else AOS_BASE_URL, else that of the context)."
    ),
]
Context = Annotated[
    str | None, Option("--context", metavar="NAME", help="A login by its name (else the last one).")
]
Limit = Annotated[int, Option("--limit", metavar="N", min=1, max=200, help="How many, the latest first.")]
Cursor = Annotated[str | None, Option("--cursor", metavar="TEXT", help="The `next` of the page before.")]
Elsewhere = Annotated[
    str | None,
    Option(
        "--server",
        metavar="URL",
        help="Ask that server, as whoever is logged in there, instead of this machine.",
    ),
]


def told(
    ask: "Callable[[Client], Mapping[str, Any]]",
    schema: str,
    report: str,
    server: str | None,
    context: str | None,
    status: Callable[[Mapping[str, Any]], Exit] | None = None,
) -> Answer:
    """What a server says to `ask`, as the document `schema` and with the server's address in it.

    `report` names what shows it to people: `audit.entries` is a function of `aos.report.server`. With a `status` the
    answer decides the exit status, which then stands in the document, too.
    """
    from aos.api.server.session import session

    asked = session(server, context)
    with asked.client as client:
        document = {**ask(client), **envelope(schema), "server": asked.url}
    end = status(document) if status else Exit.YES
    if status:
        document["exit_code"] = int(end)

    def text(look: Look) -> str:
        module, _, function = report.partition(".")
        shown: str = getattr(import_module(f"aos.report.server.{module}"), function)(document, *look)
        return shown

    return Answer(lambda: document, text, end)


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
    from aos.cli.forecast.status import status_of

    told = simulate_there(server, source, inputs, asked, **terms)
    waits, doubtful = (bool(told.document.get(part)) for part in ("approvals", "evidence"))
    status = status_of(told.document["verdict"], fail_on, waits=waits, doubtful=doubtful)
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
    from aos.wire.policies import POLICY_EXITS

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
    with asked.client as client:
        document = {**client.capabilities(), "server": asked.url}

    def text(look: Look) -> str:
        from aos.report.server import status as report

        return report.capabilities(document, *look)

    return Answer(lambda: document, text)


def answered(server: str, query_type: str, params: Mapping[str, Any], run: str | None) -> Answer:
    """A server's answer to a query."""
    from aos.api.server.session import session

    asked = session(server)
    with asked.client as client:
        said = client.query(query_type, params, run_id=run)
    unknowns = {entry["pointer"].removeprefix("/result/"): entry["reason"] for entry in said["unknowns"]}
    status = Exit.UNDETERMINED if unknowns else Exit.YES

    def text(look: Look) -> str:
        from aos.report import tables

        return tables.answer(said["query_type"], said["result"], unknowns, *look)

    return Answer(lambda: {**said, "exit_code": int(status)}, text, status)
