"""`aos runs mark-done`."""

from typing import Annotated

from typer import Option

from aos.api.running import mending as api
from aos.api.running.ledgers import ledger_path
from aos.cli.again import commands
from aos.cli.answer import Answer, Look
from aos.cli.ledger.options import OneRun
from aos.cli.ledger.returned import Result, returned
from aos.cli.options import Ledger
from aos.wire.records import recorded as wire
from aos.wire.results.documents import Document

Step = Annotated[str, Option(metavar="STEP", help="The step that somebody did.")]
Reason = Annotated[str, Option(metavar="TEXT", help="Why, and how: it stays on record, with your name.")]


def mark_done(
    run: OneRun, step: Step, reason: Reason, result: Result = None, ledger: Ledger = None
) -> Answer:
    """Say that a step was done by hand: it is not done any more, and later steps see --result as its output.

    It is for a step that failed and that no other try would mend. The run then goes on with `aos run --retry RUN`, or
    --resume where it pauses. Of a for_each the result is the array of all items' results.
    """
    path = ledger_path(ledger)
    state = api.mark_done(path, run, step, who=_user(), reason=reason, result=returned(result))
    end, then = state.steps[step], commands()
    retried = state.status == "failed"
    action = then.retry(state.start.id) if retried else then.resume(state.start.id)

    def document() -> Document:
        return wire.marked(end, action)

    def text(look: Look) -> str:
        from aos.report.runs import recorded

        return recorded.marked(end, action, *look)

    return Answer(document, text)


def _user() -> str:
    """Who says so, by the name that the system has for them."""
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError, ImportError):  # an id without a name, as in some containers
        return "somebody"
