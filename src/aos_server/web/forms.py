"""What the forms of the inbox send: text, held against the same limits as what the API takes."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from aos.domain.approvals.requests import ReviewOutcome
from aos_server.http.models.base import WHOLE, Cursor, Id, Request
from aos_server.http.models.requests import Digest, Level, Reason
from aos_server.services.requests.decide import Standing

__all__ = [
    *("Approve", "Came", "Escalate", "Form", "ListQuery", "LoginQuery", "Logout"),
    *("Reject", "Review", "SignIn", "StepsQuery", "is_next"),
]

_PAGE = re.compile(r"/inbox(/[0-9a-f-]{36}(/steps)?)?(\?[A-Za-z0-9=&_-]{0,400})?")


def is_next(address: str) -> bool:
    """Whether a login may lead there: to a page of the inbox and nowhere else, whoever made up the address."""
    return _PAGE.fullmatch(address) is not None


def _next(address: str) -> str:
    if not is_next(address):
        raise ValueError("it is no page of the inbox")
    return address


_Next = Annotated[str, AfterValidator(_next)]


def _lines(text: object) -> object:
    """Browsers end lines in two characters."""
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("a reason is needed: whoever asked reads it")
    return text


def _standing(text: object) -> object:
    return Standing.read(text) if isinstance(text, str) else text


_Reason = Annotated[Reason, BeforeValidator(_lines)]
_Given = Annotated[Reason, BeforeValidator(_lines), AfterValidator(_said)]


class Form(Request):
    """What every form holds: the token of its session, and a key of its own, so that sent twice it counts once."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    token: str = ""
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Decision(Form):
    """What was looked at: its digest, and how it stood."""

    digest: Digest
    seen: Annotated[Standing, BeforeValidator(_standing)]


class Approve(_Decision):
    """A yes. `typed` is the word that a grave one takes."""

    reason: _Reason = ""
    level: Annotated[Level, WHOLE] | None = None
    typed: Annotated[str, Field(max_length=64)] = ""
    alone: Literal["yes"] | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.alone and not self.reason.strip():
            raise ValueError("whoever breaks the glass gives a reason")
        return self


class Reject(_Decision):
    """A no."""

    reason: _Given


class Escalate(_Decision):
    """One level higher."""

    reason: _Reason = ""


class Review(Form):
    """What somebody found who looked at a broken glass."""

    outcome: ReviewOutcome
    reason: _Given


class Logout(Form):
    """The end of this session, or of every one that the person has."""

    everywhere: Literal["yes"] | None = None


class SignIn(Request):
    """In development: as whom."""

    user: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
    tenant: Id = "default"
    next: _Next = "/inbox"


class LoginQuery(Request):
    """Where to after it."""

    next: _Next = "/inbox"


class Came(Request):
    """With what the OpenID provider sent a browser back; what else it says is nobody's business here."""

    model_config = ConfigDict(extra="ignore")

    code: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    state: Annotated[str, Field(max_length=200)] = ""
    iss: Annotated[str, Field(max_length=2048)] | None = None
    error: Annotated[str, Field(max_length=200)] | None = None


class ListQuery(Request):
    """Which requests: those that wait for the caller, all that are open, the caller's own, those that are decided."""

    view: Literal["waiting", "open", "mine", "decided"] = "waiting"
    cursor: Cursor | None = None


class StepsQuery(Request):
    """After how many steps of the plan."""

    after: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 0
