"""Runs: a plan of 100 steps that do nothing, with everything on disk, against as many bare commits of SQLite."""

import itertools
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from aos.domain.plans import Plan, Step
from aos.domain.runs import RunStart
from aos.ledger.ledger import Ledger
from aos.runtime.executor import Executor, Settings
from aos.runtime.memory import Memory
from aos.runtime.skills import Call, Implementation, Reply
from tests.bench.figures import Figure, turns
from tests.unit.engine.build import catalog, skill

STEPS, ROUNDS = 100, 15
COMMITS = 2 * STEPS + 2  # an intent and an outcome of each, the run's beginning and its end
PLAN = Plan(tuple(Step(f"s{i}", "nothing", {"n": i}) for i in range(STEPS)))
CATALOG = catalog(skill("nothing"))
ROW = json.dumps({"place": ["s1", 0, 0], "key": "k" * 32, "params": "sha256:" + "d" * 64, "at_ms": 1.7e12})

_names = map("r{}".format, itertools.count())


def measure() -> Iterator[Figure]:
    with TemporaryDirectory(dir=Path.cwd()) as folder, Ledger(Path(folder) / "ledger.db") as ledger:
        bare = _bare(Path(folder) / "bare.db")
        taken = turns(
            {
                "ledger": lambda: _run(ledger),
                "bare": lambda: _commits(bare),
                "memory": lambda: _run(Memory()),
            },
            ROUNDS,
        )
        bare.close()
    # Each run beside the bare commits right after it: what a commit takes changes tenfold within a minute.
    times = median(run / bare for run, bare in zip(taken["ledger"], taken["bare"], strict=True))
    yield Figure("100 steps on record: times as many bare commits", times, "x", 1.5, False)
    yield Figure(
        "100 steps, nothing on record: ms a step", median(taken["memory"]) / STEPS * 1000, " ms", 1, False
    )


def _nothing(params: Mapping[str, Any], call: Call) -> Reply:
    return Reply("done")


def _run(journal: Ledger | Memory) -> None:
    start = RunStart(next(_names), {}, "", "", {}, None, None, time.time() * 1000)
    journal.begin(start)
    can: dict[str, Implementation] = {"nothing": _nothing}
    use = Settings(lambda: time.time() * 1000, can, journal)
    state = Executor(start, PLAN, CATALOG, use).run()
    assert state.status == "succeeded"


def _bare(path: Path) -> sqlite3.Connection:
    """A table with the ledger's own promises: each commit is on disk before the next."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, body TEXT)")
    return db


def _commits(db: sqlite3.Connection) -> None:
    for _ in range(COMMITS):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO rows (body) VALUES (?)", (ROW,))
        db.execute("COMMIT")
