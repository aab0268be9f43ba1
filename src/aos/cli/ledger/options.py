"""What the commands about recorded runs take."""

from typing import Annotated, Any

from typer import Argument, BadParameter, Option

from aos.api.running.mending import UNSAID
from aos.cli import suggest
from aos.wire.strict import MAX_BYTES, parse

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


Result = Annotated[
    str | None, Option(metavar="JSON", help="What it returned; needed where later steps refer to it.")
]


def returned(text: str | None) -> Any:
    """What --result says, UNSAID where it was left out. Raises InputError(usage) where it is no JSON."""
    if text is None:
        return UNSAID
    data = text.encode("utf-8", "surrogateescape")
    return parse(data, "json", name="--result", max_bytes=MAX_BYTES, code="usage")


def anchor(text: str) -> tuple[int, str]:
    """Number and hash of an entry, `42:3f…`, as `aos ledger verify` prints them."""
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) < 16) or len(digest) != 64:
        raise BadParameter("expected NUMBER:HASH, as `aos ledger verify` prints it", param_hint="--expect")
    return int(number), digest
