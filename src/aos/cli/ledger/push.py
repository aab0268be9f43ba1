"""`aos runs push`."""

from typing import Annotated, Any

from typer import Argument, Option

from aos.api.running.runs import states
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.options import Ledger
from aos.cli.server import Context, Server
from aos.wire.problems import visible
from aos.wire.records.pushed import run_record
from aos.wire.results.documents import envelope

Runs = Annotated[
    list[str] | None, Argument(metavar="[RUN]...", help="The runs; unless said, the latest hundred.")
]
Agent = Annotated[str | None, Option("--agent", metavar="ID", help="On whose account they go.")]


def push(
    runs: Runs = None,
    agent: Agent = None,
    server: Server = None,
    context: Context = None,
    ledger: Ledger = None,
) -> Answer:
    """Upload the records of runs to a server, which answers questions and watches budgets by them.

    A record holds which attempts were made, how they ended and what they cost: neither parameters nor results. Pushed
    again it changes nothing; one of a run that still went on is brought up to date.
    """
    asked = session(server, context)
    with asked.client as client:
        receipts = [client.upload_run(run_record(state, agent)) for state in states(ledger, runs or ())]

    def document() -> dict[str, Any]:
        return {**envelope("aos.runs-push/1"), "server": asked.url, "runs": receipts, "count": len(receipts)}

    def text(look: Look) -> str:
        lines = [f"{visible(str(one['run_id']))}  {visible(str(one['status']))}" for one in receipts]
        return "\n".join([*lines, f"{len(receipts)} at {visible(asked.url, 200)}"])

    return Answer(document, text)
