"""The ids of messages that were here: a message is sent again until its receiver says yes, and must not act twice."""

import sqlite3
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

__all__ = ["KEEP", "LEASE", "SeenIds"]

KEEP = timedelta(days=4)
"""How long an id is remembered: longer than the 75 hours for which a sender tries."""

LEASE = timedelta(minutes=1)
"""How long a receiver may work on a message before it counts as dead and the message as not received."""

_TABLE = "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, until REAL NOT NULL, done INTEGER NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS seen_until ON seen (until)"
_TAKE = "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"


class SeenIds:
    """Ids in a SQLite file that processes may share, or in memory. Threads may share it."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._base.execute(_TABLE)
        self._base.execute(_INDEX)

    def first(self, message_id: str, now: datetime) -> bool:
        """Whether the id is new; from now on it is not. For a receiver whose work can't fail halfway."""
        return self._take(message_id, now, now + KEEP, done=True) == "new"

    def begin(self, message_id: str, now: datetime) -> Literal["new", "running", "done"]:
        """Take a message on, unless somebody works on it or has done so; `done` or `forget` ends it."""
        return self._take(message_id, now, now + LEASE, done=False)

    def done(self, message_id: str, now: datetime) -> None:
        """It was received: when it comes again, there is nothing to do."""
        with self._lock:
            until = (now + KEEP).timestamp()
            self._base.execute("UPDATE seen SET until = ?, done = 1 WHERE id = ?", (until, message_id))

    def forget(self, message_id: str) -> None:
        """It was not: the sender's next try is like the first."""
        with self._lock:
            self._base.execute("DELETE FROM seen WHERE id = ? AND NOT done", (message_id,))

    def close(self) -> None:
        """Let go of the file. Who forgets to is forgiven."""
        self._base.close()

    __del__ = close

    def _take(
        self, message_id: str, now: datetime, until: datetime, *, done: bool
    ) -> Literal["new", "running", "done"]:
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.execute("DELETE FROM seen WHERE until <= ?", (now.timestamp(),))
                if self._base.execute(_TAKE, (message_id, until.timestamp(), done)).rowcount:
                    return "new"
                row = self._base.execute("SELECT done FROM seen WHERE id = ?", (message_id,)).fetchone()
                return "done" if row[0] else "running"
            finally:
                self._base.execute("COMMIT")
