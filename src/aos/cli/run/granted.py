"""The approval that a run is to use: looked up where the caller is logged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from aos.api.running.grants import Grant, grant_of
from aos.api.running.run import Record
from aos.api.server.session import session

__all__ = ["Approval", "granted", "granted_again"]


class Approval(NamedTuple):
    """The request to use, if there is one, and who asks which server for it."""

    request: str | None
    server: str | None
    context: str | None


@contextmanager
def granted(approval: Approval, *, used: bool = False) -> Iterator[Grant | None]:
    """The grant of a request, None where there is none to use. `used`: as for `grant_of`."""
    if approval.request is None:
        yield None
        return
    asked = session(approval.server, approval.context)
    with asked.client as client:
        yield grant_of(client, asked.url, approval.request, used=used)


@contextmanager
def granted_again(approval: Approval, record: Record, run: str) -> Iterator[Grant | None]:
    """For a run that is resumed: another grant; or the one that it began with and may not have used yet.

    It had used it when it made its first attempt, and then needs it no more. Another one may be used by this run
    already, where it was cut off right then: the server tells whether it was.
    """
    state = record.state(run)
    first = state.start.approval
    if approval.request is None and first and not state.attempts:
        approval = Approval(first["request_id"], approval.server or first["server"], approval.context)
    with granted(approval, used=True) as grant:
        yield grant
