"""What the models share."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from aos.wire.shape import Reader

__all__ = [
    "WHOLE",
    *(
        "Cents",
        "Cursor",
        "Document",
        "Flag",
        "Id",
        "InTenant",
        "JsonObject",
        "Limit",
        "Problem",
        "ProblemEntry",
        "Request",
        "SkillId",
        "Unknown",
    ),
    "decimal",
    "whole",
    "without_nul",
]


JsonObject = dict[str, Any]


class Request(BaseModel):
    """What a caller sends. A key that nobody reads is an error, and a value is never bent into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@-]{1,64}$")]


class InTenant(Request):
    """Of which tenant. It grants nothing: it has to be the caller's own."""

    tenant_id: Id | None = None


class Document(BaseModel):
    """What the server answers. Keys may be added within a major version; none is ever taken away."""

    model_config = ConfigDict(extra="allow")


def whole(text: str) -> int | None:
    """The number that is written there as everybody writes it: digits alone, the first of them no zero in vain."""
    return int(text) if re.fullmatch(r"0|[1-9][0-9]{0,8}", text) else None


def _whole(text: str) -> int | str:
    number = whole(text)
    return text if number is None else number  # which is no number then


def _flag(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _cents(value: float) -> float:
    reader = Reader()
    reader.money(value, "", None)
    if reader.findings:
        raise ValueError(reader.findings[0].detail)
    return value


def without_nul(value: Any) -> Any:
    """The value. Raises ValueError where it holds the character NUL, which Postgres can't keep."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("the character NUL is not allowed")
    if isinstance(value, dict):
        for key, inner in value.items():
            without_nul(key)
            without_nul(inner)
    elif isinstance(value, list):
        for inner in value:
            without_nul(inner)
    return value


def decimal(cents: float | None) -> Decimal | None:
    """Cents as they were written."""
    return None if cents is None else Decimal(repr(cents))


Cents = Annotated[
    int | float, Field(ge=0, le=1e12, description="Cents, of at most 6 decimals"), AfterValidator(_cents)
]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{1,400}$")]
"""Where a page ended."""
WHOLE = BeforeValidator(_whole)
"""For a number of a query string, where everything is text."""
Flag = Annotated[bool, BeforeValidator(_flag)]
"""True or false of a query string."""
Limit = Annotated[int, Field(ge=1, le=200), WHOLE]
"""Most rows of a page."""
SkillId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@-]{1,128}$")]


class Unknown(Document):
    """A null of the document that stands for a figure nobody knows."""

    pointer: str
    reason: str


class ProblemEntry(Document):
    """One thing that is wrong, and where."""

    pointer: str
    code: str
    detail: str
    allowed: list[str] = Field(default=[])
    suggestion: str | None = None


class Problem(Document):
    """What went wrong (RFC 9457). `code` is for programs; `aos explain CODE` says what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None
    code: str
    retryable: bool
    retry_after_s: float | None
    effect: str
    errors: list[ProblemEntry]
    fix: str
