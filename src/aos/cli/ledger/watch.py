"""`aos runs watch`."""

import time
from collections.abc import Generator
from typing import Annotated

from typer import Option

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import follow
from aos.cli.answer import Stream
from aos.cli.ledger.options import Run
from aos.cli.options import Ledger
from aos.errors import Exit
from aos.wire.encode import one_line
from aos.wire.results.documents import envelope

Every = Annotated[float, Option(min=0.05, max=3600, metavar="SECONDS", help="How often it looks.")]


def watch(run: Run = None, every: Every = 0.5, ledger: Ledger = None) -> Stream:
    """What is written of a run, a line of JSON for each entry, until it ends or pauses.

    It starts with what is written already.
    """

    def lines() -> Generator[tuple[str, Exit]]:
        for entry in follow(ledger_path(ledger), run, lambda: time.sleep(every)):
            yield one_line({**envelope("aos.entry/1"), **entry}), Exit.YES

    return Stream(lines())
