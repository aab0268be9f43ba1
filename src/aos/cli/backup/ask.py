"""`aos backup create` and `verify`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aos.cli.answer import Answer
from aos.cli.backup.options import Name, Timeout, Wait
from aos.cli.server import Context, Server, told
from aos.errors import Exit

if TYPE_CHECKING:
    from aos.sdk.client import Client

__all__ = ["create", "verify"]

_AN_HOUR_S = 3600


def create(
    wait: Wait = False, timeout: Timeout = None, server: Server = None, context: Context = None
) -> Answer:
    """Ask for a backup. A worker makes it, restores it into a scratch database and compares.

    The exit status is 8 while that is under way. With --wait it is 0 where it is good, 11 where it is not the same,
    that of the failure where there is none, 124 where the time is up.
    """
    return _asked(lambda client: client.create_backup(), wait, timeout, server, context)


def verify(
    name: Name,
    wait: Wait = False,
    timeout: Timeout = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Ask for a trial of a backup: a worker restores it into a scratch database and compares every figure.

    The exit status is that of `aos backup create`.
    """
    return _asked(lambda client: client.verify_backup(name), wait, timeout, server, context)


def _asked(
    ask: "Callable[[Client], dict[str, Any]]",
    wait: bool,
    timeout: int | None,
    server: str | None,
    context: str | None,
) -> Answer:
    from aos.api.server.backups import exit_of, waited

    patience_s = (_AN_HOUR_S if timeout is None else timeout) if wait else 0

    def status(said: Any) -> Exit:
        end = exit_of(dict(said))
        return Exit.TIMED_OUT if wait and end is Exit.PENDING else end

    return told(
        lambda client: waited(client, ask(client), patience_s),
        "aos.backup/1",
        "backups.backup",
        server,
        context,
        status,
    )
