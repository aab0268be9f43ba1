"""What a step returned, as a person tells it."""

from typing import Annotated, Any

from typer import Option

from aos.api.running.mending import UNSAID
from aos.wire.strict import MAX_BYTES, parse

__all__ = ["Result", "returned"]

Result = Annotated[
    str | None, Option(metavar="JSON", help="What it returned; needed where later steps refer to it.")
]


def returned(text: str | None) -> Any:
    """What --result says, UNSAID where it was left out. Raises InputError(usage) where it is no JSON."""
    if text is None:
        return UNSAID
    data = text.encode("utf-8", "surrogateescape")
    return parse(data, "json", name="--result", max_bytes=MAX_BYTES, code="usage")
