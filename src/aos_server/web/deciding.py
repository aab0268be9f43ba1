"""What one decides: each form is one change, by the same services, rules and keys as a call of the API.

A decision is one on what was shown: its digest, and how the request stood. If anything of that is different by now, or
the plan has left its envelope, or the rules ask for more, nothing is decided, and the card says what has changed.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aos.errors import CODES, AosError
from aos_server import logs
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call
from aos_server.http.handlers.requests import id_of
from aos_server.services.changes import Given, answered
from aos_server.services.idempotency import Key, key_of
from aos_server.services.requests import decide, inbox
from aos_server.services.requests.consume import drifted
from aos_server.services.requests.create import Desk
from aos_server.services.requests.decide import Said, Standing
from aos_server.services.requests.inbox import Looked
from aos_server.web import card
from aos_server.web.forms import Approve, Escalate, Reject, Review
from aos_server.web.pages import Pages
from aos_server.web.render import go

__all__ = ["Deciding"]

_TOLD_ON_THE_CARD = (403, 409, 422)
"""Refusals that are about the request: who sees them still wants to see it."""


class Deciding:
    """The forms of the card."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    async def approve(self, call: Call) -> Answer:
        """Say yes."""
        form: Approve = call.body

        async def act(request: str, key: Key) -> Given:
            if before := await answered(self._desk.database, call.caller, key):
                return before
            looked = await inbox.look(self._desk.database, call.caller, request)
            word = card.word_of(looked)
            if word and form.typed.strip().lower() != word:
                raise AosError(
                    "not_confirmed", f"what has to be typed is {word}", fix="Type it, then approve."
                )
            current = (form.seen, form.digest) == (Standing.of(looked.request), looked.request.digest)
            if current and (left := await drifted(self._desk, call.caller, request)):
                raise left
            said = Said(form.reason, form.level, form.digest, form.alone is not None, form.seen)
            return await decide.approve(self._desk.database, call.caller, request, said, key)

        return await self._done(call, act)

    async def reject(self, call: Call) -> Answer:
        """Say no."""
        form: Reject = call.body

        async def act(request: str, key: Key) -> Given:
            said = Said(form.reason, digest=form.digest, seen=form.seen)
            return await decide.reject(self._desk.database, call.caller, request, said, key)

        return await self._done(call, act)

    async def escalate(self, call: Call) -> Answer:
        """Ask one level higher."""
        form: Escalate = call.body

        async def act(request: str, key: Key) -> Given:
            return await decide.escalate(
                self._desk.database, call.caller, request, form.reason, key, form.seen
            )

        return await self._done(call, act)

    async def review(self, call: Call) -> Answer:
        """Close the review of a broken glass."""
        form: Review = call.body

        async def act(request: str, key: Key) -> Given:
            return await decide.review(
                self._desk.database, call.caller, request, form.outcome, form.reason, key
            )

        return await self._done(call, act)

    async def _done(self, call: Call, act: Callable[[str, Key], Awaitable[Given]]) -> Answer:
        """The card as it is then: a refusal is told on it, with what has changed since it was looked at."""
        request = id_of(call)
        body = call.body.model_dump(mode="json", exclude={"token", "key"})
        key = key_of(call.body.key, "POST", f"/inbox/{request}/{type(call.body).__name__}", body)
        try:
            await act(request, key)
        except AosError as error:
            if error.row.status not in _TOLD_ON_THE_CARD:  # 404, 429, 503: not about what was seen
                raise
            logs.note(detail=f"{error.code}: {error.detail}")
            looked = await inbox.look(self._desk.database, call.caller, request)
            return self._pages.card(
                call, call.caller, looked, _notice(call.body, error, looked), error.row.status
            )
        return go(f"/inbox/{request}")


def _notice(form: Any, error: AosError, looked: Looked) -> dict[str, Any]:
    return {
        "title": CODES[error.code].title,
        "code": error.code,
        "detail": error.detail,
        "fix": error.fix or CODES[error.code].fix,
        "findings": [(one.pointer, one.code, one.detail) for one in error.findings],
        "changes": list(_changes(form, looked)),
    }


def _changes(form: Any, looked: Looked) -> Iterator[tuple[str, object, object]]:
    """What is not as it was looked at: its name, what was shown, what is."""
    seen = getattr(form, "seen", None)
    if seen is None:
        return
    now = Standing.of(looked.request)
    for name, was, is_now in zip(("status", "level required", "approvals"), seen, now, strict=True):
        if was != is_now:
            yield name, was, is_now
    digest = getattr(form, "digest", looked.request.digest)
    if digest != looked.request.digest:
        yield "digest of what is asked for", digest, looked.request.digest
