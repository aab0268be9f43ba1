"""What the commands about recorded runs take."""

from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.cli import suggest

Run = Annotated[
    str | None,
    Argument(
        metavar="[RUN]",
        help="A run: its id, or how it starts. Unless said, the latest.",
        autocompletion=suggest.runs,
    ),
]
OneRun = Annotated[
    str, Argument(metavar="RUN", help="A run: its id, or how it starts.", autocompletion=suggest.runs)
]
Limit = Annotated[int, Option(min=1, max=1_000, metavar="N", help="The most runs that are listed.")]


def anchor(text: str) -> tuple[int, str]:
    """Number and hash of an entry, `42:3f…`, as `aos ledger verify` prints them."""
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) < 16) or len(digest) != 64:
        raise BadParameter("expected NUMBER:HASH, as `aos ledger verify` prints it", param_hint="--expect")
    return int(number), digest
