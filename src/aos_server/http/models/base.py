"""What the models share."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from aos.wire.shape import Reader

__all__ = [
    *(
        "Cents",
        "Cursor",
        "Document",
        "Id",
        "InTenant",
        "JsonObject",
        "Problem",
        "ProblemEntry",
        "Request",
        "SkillId",
        "Unknown",
    ),
    "decimal",
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
