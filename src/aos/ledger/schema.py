"""The tables, and the steps by which an older ledger becomes one of today. sqlite-utils is loaded only for these."""

import sqlite3
from collections.abc import Iterator, Sequence

__all__ = ["VERSION", "is_ledger", "migrate", "shape"]

APPLICATION_ID = 0x414F534C
"""In the file's header, as SQLite has it for this: "AOSL"."""

# Every table and every index is a page more to write, twice, for each attempt. So rows lie in the order of their keys,
# only failures, which are rare, have an index; a run's entries are found between its first and its last.
_FIRST = (
    """CREATE TABLE entries (
        seq INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE content (
        digest TEXT PRIMARY KEY,
        json TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        name TEXT,
        status TEXT NOT NULL,
        cause TEXT,
        detail TEXT NOT NULL DEFAULT '',
        plan TEXT NOT NULL,
        plan_digest TEXT NOT NULL,
        contract TEXT NOT NULL,
        simulation TEXT NOT NULL,
        forced INTEGER NOT NULL,
        budget_cents TEXT,
        deadline_ms REAL,
        started_ms REAL NOT NULL,
        ended_ms REAL,
        active_ms REAL NOT NULL DEFAULT 0,
        limit_micro INTEGER,
        spent_micro INTEGER NOT NULL DEFAULT 0,
        reserved_micro INTEGER NOT NULL DEFAULT 0,
        unknown_costs INTEGER NOT NULL DEFAULT 0,
        score TEXT
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE attempts (
        seq INTEGER NOT NULL,
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        item INTEGER NOT NULL,
        iteration INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        skill TEXT NOT NULL,
        started_ms REAL NOT NULL,
        reserve_micro INTEGER NOT NULL,
        ended_ms REAL,
        outcome TEXT NOT NULL DEFAULT 'unknown',
        code TEXT,
        category TEXT,
        effect TEXT NOT NULL DEFAULT 'unknown',
        cost_cents TEXT,
        latency_ms REAL,
        settled INTEGER,
        PRIMARY KEY (run, step, item, iteration, attempt)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE steps (
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        outcome TEXT NOT NULL,
        output TEXT NOT NULL,
        ended_ms REAL NOT NULL,
        PRIMARY KEY (run, step)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX runs_in_order ON runs (first_seq)",
    "CREATE INDEX failures ON attempts (skill, code) WHERE code IS NOT NULL",
    *(
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'a ledger is added to, never changed'); END"
        for table in ("entries", "content")
        for verb in ("UPDATE", "DELETE")
    ),
)

_STEPS: Sequence[tuple[str, Sequence[str]]] = (
    ("first", _FIRST),
    ("steps are read from entries", ("DROP TABLE steps",)),  # nobody asked for the table
)
VERSION = len(_STEPS)
"""The ledger's format; `PRAGMA user_version` holds it."""


def is_ledger(db: sqlite3.Connection) -> int | None:
    """The version of the ledger in a file, None where the file is of another kind."""
    ((application,),) = db.execute("PRAGMA application_id")
    ((version,),) = db.execute("PRAGMA user_version")
    return int(version) if application == APPLICATION_ID else None


def migrate(db: sqlite3.Connection) -> None:
    """Bring an older or empty database to today's version, inside the transaction that is open."""
    from sqlite_utils import Database, Migrations

    steps = Migrations("aos-ledger")
    for name, statements in _STEPS:

        def step(database: Database, statements: Sequence[str] = statements) -> None:
            for statement in statements:
                database.conn.execute(statement)

        steps(name=name)(step)
    steps.apply(Database(db, execute_plugins=False, recursive_triggers=False))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def shape(db: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Every table, index and trigger with the statement that made it."""
    yield from db.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name")
