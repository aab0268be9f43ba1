"""Sessions of browsers: opened by a login, found by their cookie, ended by whoever has it. The audit log tells of both
ends of one, but of none that ends by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aos_server.db.pool import Database, Row
from aos_server.identity.browsers import sessions
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, change

__all__ = ["Sessions"]

LONGEST = timedelta(hours=1)
"""A session ends with its access token at the latest, and that is good for an hour at most."""


class Sessions:
    """Every tenant's sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, caller: Caller, token: str, life: timedelta = LONGEST) -> str:
        """A session of somebody who logged in, with this access token. Returns its cookie, which is nowhere else."""
        cookie = sessions.new_cookie()
        values = {
            "sha256": sessions.hash_of(cookie),
            **caller.principal._asdict(),
            "sealed": sessions.seal(cookie, token),
            "life": min(life, LONGEST),
        }

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            return Effect([("sessions.add", values)], Entry("browser.login", _name(cookie)), 201, {})

        await change(self._database, caller, [("tenants.ensure", {})], decide)
        return cookie

    async def token(self, cookie: str) -> str | None:
        """The access token of a cookie's session; None where there is none, or it has ended.

        Raises AosError(unavailable).
        """
        if not sessions.is_cookie(cookie):
            return None
        this = {"sha256": sessions.hash_of(cookie)}
        (found,) = await self._database.read(("sessions.find", this))
        if not found:
            return None
        if found[0]["rested"]:
            async with self._database.transaction(found[0]["tenant_id"]) as transaction:
                await transaction.send("sessions.seen", **this)
        return sessions.unseal(cookie, bytes(found[0]["sealed"]))

    async def end(self, caller: Caller, cookie: str, *, everywhere: bool = False) -> int:
        """End the caller's session, or all that they have; how many it were."""
        this, ended = sessions.hash_of(cookie), list[bytes]()

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            mine = [bytes(row["sha256"]) for row in rows[0]]
            ended[:] = [one for one in mine if everywhere or one == this]
            entry = Entry("browser.logout", _name(cookie), {"sessions": len(ended)})
            return Effect([("sessions.end", {"every": ended})], entry, 200, {})

        await change(self._database, caller, [("sessions.of", caller.principal._asdict())], decide)
        return len(ended)


def _name(cookie: str) -> str:
    """What the audit log calls it: it tells sessions apart and finds none."""
    return f"session:{sessions.hash_of(cookie).hex()[:16]}"
