"""`aos runs export` and `aos runs import`."""

from collections.abc import Generator
from typing import Annotated, Any

from typer import Argument

from aos.api.running import runs as api
from aos.api.running.ledgers import ledger_path
from aos.cli.answer import Answer, Look, Stream
from aos.cli.options import Ledger
from aos.errors import Exit
from aos.wire.records import recorded as wire

Runs = Annotated[
    list[str] | None, Argument(metavar="[RUN]...", help="The runs; unless said, the whole ledger.")
]
Source = Annotated[
    str, Argument(metavar="FILE", help="What `aos runs export` printed; `-` is standard input.")
]


def export(runs: Runs = None, ledger: Ledger = None) -> Stream:
    """Print the ledger, or some runs of it, as lines of JSON that `aos runs import` checks and takes in."""

    def lines() -> Generator[tuple[str, Exit]]:
        for line in api.export(ledger_path(ledger), runs or ()):
            yield line, Exit.YES

    return Stream(lines())


def import_runs(file: Source, ledger: Ledger = None) -> Answer:
    """Take the runs of an export into the ledger, all of them or none.

    A file that is not what was exported, to the last byte, is refused with 11. Runs that are there already stay.
    """
    path = ledger_path(ledger)
    taken, known = api.import_from(path, file)

    def document() -> dict[str, Any]:
        return wire.transferred(taken, known, ledger=str(path))

    def text(look: Look) -> str:
        from aos.report.runs import recorded

        return recorded.imported(taken, known, *look)

    return Answer(document, text)
