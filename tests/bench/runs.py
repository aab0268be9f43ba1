"""Runs: a plan of 100 steps with everything on disk, against bare commits of SQLite."""

import itertools
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from aos.domain.plans.plan import Plan, Step
from aos.domain.runs.run import GoAhead, Intent, Money, RunEnd, RunStart, Settled, StepEnd
from aos.domain.skills.skill import Catalog, Effects
from aos.ledger.ledger import Ledger
from aos.runtime.executor import Executor, Settings
from aos.runtime.journal import Journal
from aos.runtime.memory import Memory
from aos.runtime.skills import Call, Implementation, Reply
from tests.bench.figures import Figure
from tests.unit.engine.build import catalog, skill

STEPS, ROUNDS = 100, 15
PLAN = Plan(tuple(Step(f"s{i}", "nothing", {"n": i}) for i in range(STEPS)))
NO_OPS = catalog(skill("nothing"))
WRITERS = catalog(skill("nothing")._replace(effects=Effects(False, True, False, False, True)))
ROW = json.dumps({"place": ["s1", 0, 0], "key": "k" * 32, "params": "sha256:" + "d" * 64, "at_ms": 1.7e12})

_names = map("r{}".format, itertools.count())


def measure() -> Iterator[Figure]:
    with TemporaryDirectory(dir=Path.cwd()) as folder, Ledger(Path(folder) / "ledger.db") as ledger:
        bare = _bare(Path(folder) / "bare.db")
        taken = [
            (
                _no_ops(ledger, bare),
                _effects(ledger, bare),
                _seconds(lambda: _run(Memory(), NO_OPS)),
            )
            for _ in range(ROUNDS)
        ]
        bare.close()
    no_ops, effects, memory = (median(column) for column in zip(*taken, strict=True))
    yield Figure("100 steps that do nothing, on record: times 100 bare commits", no_ops, "x", 1.5, False)
    yield Figure(
        "100 steps with an effect each: times as many bare commits as it makes", effects, "x", 2, False
    )
    yield Figure("100 steps, nothing on record: ms a step", memory / STEPS * 1000, " ms", 1, False)


def _no_ops(ledger: Ledger, bare: sqlite3.Connection) -> float:
    """The run is short: so the bare commits are made half before it, half after."""

    def half() -> None:
        for _ in range(STEPS // 2):
            _commit(bare)

    before, run, after = _seconds(half), _seconds(lambda: _run(ledger, NO_OPS)), _seconds(half)
    return run / (before + after)


def _effects(ledger: Ledger, bare: sqlite3.Connection) -> float:
    beside = _Beside(ledger, bare)
    whole = _seconds(lambda: _run(beside, WRITERS))
    assert beside.commits == STEPS + 2  # an outcome goes with the intent of what follows
    return (whole - beside.seconds) / beside.seconds


def _seconds(job: Callable[[], None]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


class _Beside:
    """The ledger as a journal, with one bare commit after each of its own.

    What a commit takes changes tenfold within seconds; so both meet the same disk, commit by commit.
    """

    def __init__(self, ledger: Ledger, bare: sqlite3.Connection) -> None:
        self._ledger, self._bare = ledger, bare
        self.commits, self.seconds = 0, 0.0

    def begin(self, start: RunStart) -> None:
        self._ledger.begin(start)
        self._commit()

    def intend(self, *intents: Intent) -> bool:
        fits = self._ledger.intend(*intents)
        self._commit()
        return fits

    def note(self, *intents: Intent) -> None:
        self._ledger.note(*intents)  # it goes with what is written next

    def settle(self, settled: Settled) -> None:
        self._ledger.settle(settled)  # so does it

    def step_ended(self, end: StepEnd) -> None:
        self._ledger.step_ended(end)  # so does it

    def flush(self) -> None:
        self._ledger.flush()

    def approve(self, yes: GoAhead) -> None:
        self._ledger.approve(yes)
        self._commit()

    def end(self, end: RunEnd) -> None:
        self._ledger.end(end)
        self._commit()

    def money(self, run: str) -> Money:
        return self._ledger.money(run)

    def _commit(self) -> None:
        self.commits += 1
        self.seconds += _seconds(lambda: _commit(self._bare))


def _nothing(params: Mapping[str, Any], call: Call) -> Reply:
    return Reply("done")


def _run(journal: Journal, skills: Catalog) -> None:
    start = RunStart(next(_names), {}, "", "", {}, None, None, time.time() * 1000)
    journal.begin(start)
    can: dict[str, Implementation] = {"nothing": _nothing}
    use = Settings(lambda: time.time() * 1000, can, journal)
    state = Executor(start, PLAN, skills, use).run()
    assert state.status == "succeeded"


def _bare(path: Path) -> sqlite3.Connection:
    """A table with the ledger's own promises: each commit is on disk before the next."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, body TEXT)")
    return db


def _commit(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO rows (body) VALUES (?)", (ROW,))
    db.execute("COMMIT")
