"""`aos ledger verify`."""

from typing import Annotated

from typer import Option

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import check
from aos.cli.answer import Answer, Look
from aos.cli.ledger.options import anchor
from aos.cli.options import Ledger
from aos.errors import Exit
from aos.wire.records import recorded as wire

Expect = Annotated[
    str | None, Option(metavar="NUMBER:HASH", help="An entry as it was noted elsewhere, earlier.")
]


def verify(expect: Expect = None, ledger: Ledger = None) -> Answer:
    """Check the ledger from its first entry to its last: nothing changed, taken out, put in or moved.

    What was noted of an earlier check, given with --expect, also tells whether the whole file was put back to an older
    state. The exit status is 11 where anything is wrong, and every place is named.
    """
    path = ledger_path(ledger)
    found = check(path, None if expect is None else anchor(expect))
    status = Exit.DAMAGED if found.damage else Exit.YES

    def text(look: Look) -> str:
        from aos.report.runs import recorded

        return recorded.check(found, str(path), *look)

    return Answer(lambda: wire.check(found, ledger=str(path), exit_status=status), text, status)
