"""The approval that a run is to use: looked up where the caller is logged in."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from aos.api.running.grants import Grant, grant_of
from aos.api.running.run import Record
from aos.api.server.session import session

__all__ = ["granted", "granted_again"]


@contextmanager
def granted(request: str | None, server: str | None, *, used: bool = False) -> Iterator[Grant | None]:
    """The grant of a request, None where there is none to use. `used`: as for `grant_of`."""
    if request is None:
        yield None
        return
    asked = session(server)
    with closing(asked.client) as client:
        yield grant_of(client, asked.url, request, used=used)


@contextmanager
def granted_again(
    request: str | None, server: str | None, record: Record, run: str
) -> Iterator[Grant | None]:
    """For a run that is resumed: another grant; or the one that it began with and may not have used yet.

    It had used it when it made its first attempt, and then needs it no more. Another one may be used by this run
    already, where it was cut off right then: the server tells whether it was.
    """
    state = record.state(run)
    first = state.start.approval
    if request is None and first and not state.attempts:
        request, server = first["request_id"], server or first["server"]
    with granted(request, server, used=True) as grant:
        yield grant
