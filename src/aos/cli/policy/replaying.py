"""What `aos policy replay` takes, and how it answers."""

import time
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.policy.replay import FAIL_ON, MOST_UNDETERMINED, status
from aos.cli.answer import Answer, Look
from aos.cli.options import first
from aos.cli.values import milliseconds, share
from aos.domain.approvals.replays import CHANGES
from aos.wire.results.documents import Document


def change_words(text: str) -> frozenset[str]:
    """The value of --fail-on."""
    words = frozenset(text.split(","))
    if words in ({"any"}, {"none"}):
        return frozenset(CHANGES) if words == {"any"} else frozenset()
    if not words <= set(CHANGES):
        raise BadParameter(f"expected {', '.join(CHANGES)}, joined by commas; or any, or none")
    return words


def since_ms(ago: float | None) -> float | None:
    """The moment so many ms ago, in Unix time."""
    return None if ago is None else time.time() * 1000 - ago


Candidate = Annotated[
    str, Argument(metavar="CANDIDATE", help="The rules to try: a .cedar file, or a folder of them.")
]
Against = Annotated[
    str | None,
    Option(
        "--against", metavar="DIR", help="The rules that hold; else those of aos.toml, else those that ship."
    ),
]
Plans = Annotated[
    list[str] | None,
    Option(
        "--plans",
        metavar="DIR",
        help="Plan files instead of the ledger: a file, or a folder with all in it. May be given again.",
    ),
]
Since = Annotated[
    float | None, Option(parser=milliseconds, metavar="TIME", help="What is not older than 30d, 12h, …")
]
FailOn = Annotated[
    frozenset[str] | None,
    Option(
        parser=change_words,
        metavar="WHAT",
        help="Changes with exit status 3; newly_denied,newly_allowed unless said. Also `any` or `none`.",
    ),
]
Most = Annotated[
    float | None,
    Option(
        "--max-undetermined",
        parser=share,
        metavar="SHARE",
        help="How much may be undetermined; 0.1 unless said.",
    ),
]
RowsFile = Annotated[
    Path | None, Option("--rows", metavar="FILE", help="Every record under both, a line of JSON each.")
]
Limit = Annotated[
    int | None,
    Option(
        "--limit",
        metavar="N",
        min=1,
        max=5000,
        help="With --server: of each kind the latest so many; 1000 unless said.",
    ),
]


def answered(document: Document, fail_on: frozenset[str] | None, most: float | None) -> Answer:
    """The answer, by what was found and what was chosen to be a no."""
    end = status(document, first(fail_on, otherwise=FAIL_ON), first(most, otherwise=MOST_UNDETERMINED))
    document["exit_code"] = int(end)

    def text(look: Look) -> str:
        from aos.report.forecast import replay as report

        return report.replayed(document, *look)

    return Answer(lambda: document, text, end)
