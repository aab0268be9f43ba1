"""`aos runs show`."""

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import show as read
from aos.cli.again import commands
from aos.cli.answer import Answer, Look
from aos.cli.ledger.options import Run
from aos.cli.options import Ledger
from aos.wire.records import recorded as wire
from aos.wire.results.documents import Document


def show(run: Run = None, ledger: Ledger = None) -> Answer:
    """Everything that is written of one run: its attempts, what they cost, its forecast beside what happened."""
    path = ledger_path(ledger)
    found, then = read(path, run), commands()

    def text(look: Look) -> str:
        from aos.report.runs import recorded

        return recorded.run(found.state, found.score, *look, interrupted=found.interrupted, commands=then)

    def document() -> Document:
        return wire.run(found.state, found.score, ledger=str(path), interrupted=found.interrupted)

    return Answer(document, text)
