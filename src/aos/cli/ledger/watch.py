"""`aos runs watch`."""

import sys
import time
from collections.abc import Generator, Mapping
from typing import Annotated, Any, cast

from typer import Option

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import follow
from aos.cli.again import commands
from aos.cli.answer import Stream, write
from aos.cli.ledger.options import Run
from aos.cli.options import Ledger
from aos.errors import Exit
from aos.wire.encode import one_line
from aos.wire.results.documents import envelope

Every = Annotated[float, Option(min=0.05, max=3600, metavar="SECONDS", help="How often it looks.")]


def watch(run: Run = None, every: Every = 0.5, ledger: Ledger = None) -> Stream:
    """What is written of a run, a line of JSON for each entry, until it ends or pauses.

    It starts with what is written already. Where the process of the run has died, it says so on stderr.
    """

    then = commands()

    def lines() -> Generator[tuple[str, Exit]]:
        lost = yield from _told(follow(ledger_path(ledger), run, lambda: time.sleep(every)))
        if lost is not None:
            write(sys.stderr, f"the process of {lost} has died; `{then.resume(lost)}` goes on with it")

    return Stream(lines())


def _told(
    entries: Generator[Mapping[str, Any], None, str | None],
) -> Generator[tuple[str, Exit], None, str | None]:
    while True:
        try:
            entry = next(entries)
        except StopIteration as end:
            return cast("str | None", end.value)
        yield one_line({**envelope("aos.entry/1"), **entry}), Exit.YES
