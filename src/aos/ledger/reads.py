"""Questions to the ledger: which runs there are, what was tried, how that went."""

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from aos.domain.runs.recorded import PastFailures, RunLine, Tried
from aos.domain.runs.run import Money, Place
from aos.domain.skills.measured import Measured
from aos.errors import AosError
from aos.ledger.money import UNKNOWN_COSTS, of_micro
from aos.wire.problems import visible

__all__ = [
    "Begun",
    "begun",
    "count_tried",
    "find_run",
    "latest_run",
    "measured",
    "past_failures",
    "plans",
    "recent_calls",
    "records",
    "runs",
    "score_of",
    "scores",
    "tried",
    "unseen",
]


class Begun(NamedTuple):
    """A run that began: digests of plan and simulation in the ledger's content, and of the catalog's contract.

    `spent_cents` None: nobody knows the cost of some attempt.
    """

    id: str
    started_ms: float
    plan: str
    simulation: str
    contract: str
    spent_cents: Decimal | None


_SLACK_MS = 60_000.0
"""By how much two processes may disagree on the time."""


def runs(db: sqlite3.Connection, *, limit: int, status: str | None = None) -> list[RunLine]:
    """The latest runs first."""
    rows = db.execute(
        "SELECT id, name, status, cause, started_ms, ended_ms, active_ms,"
        f" budget_cents, spent_micro, reserved_micro, {UNKNOWN_COSTS},"
        " (SELECT count(*) FROM attempts WHERE run = id),"
        " (SELECT count(*) FROM attempts WHERE run = id AND outcome = 'failed'),"
        " 1 + (SELECT count(*) FROM entries WHERE seq BETWEEN first_seq AND last_seq AND run = id"
        " AND kind = 'resumed' AND json_extract(body, '$.again') IS NOT NULL)"
        " FROM runs WHERE :status IS NULL OR status = :status ORDER BY first_seq DESC LIMIT :limit",
        {"status": status, "limit": limit},
    )
    return [_line(row) for row in rows]


def find_run(db: sqlite3.Connection, text: str | None) -> str:
    """The id that starts with `text`; the latest run's where that is None. Raises AosError(run_not_found)."""
    if text is None:
        row = db.execute("SELECT id FROM runs ORDER BY first_seq DESC LIMIT 1").fetchone()
        if row is None:
            raise AosError("run_not_found", "there is no run in the ledger", fix="`aos run PLAN` makes one.")
        return str(row[0])
    if db.execute("SELECT 1 FROM runs WHERE id = ?", (text,)).fetchone():
        return text
    found = db.execute("SELECT id FROM runs WHERE substr(id, 1, ?) = ? LIMIT 9", (len(text), text)).fetchall()
    if len(found) == 1 and text:
        return str(found[0][0])
    several = f"several runs start with it: {', '.join(visible(row[0]) for row in found[:8])}"
    raise AosError(
        "run_not_found", f'there is no run "{visible(text)}"' + (f"; {several}" if found and text else "")
    )


def tried(
    db: sqlite3.Connection, *, run: str | None = None, step: str | None = None, limit: int
) -> list[Tried]:
    """The latest attempts first, of all runs or of one, of all its steps or of one."""
    rows = db.execute(
        "SELECT a.run, a.step, a.item, a.iteration, a.skill, a.attempt, a.outcome, a.code, a.effect, a.cost_cents,"
        " a.latency_ms, a.started_ms FROM entries JOIN attempts a ON a.run = entries.run"
        " AND a.step = json_extract(body, '$.step') AND a.item = json_extract(body, '$.item')"
        " AND a.iteration = json_extract(body, '$.iteration') AND a.attempt = json_extract(body, '$.attempt')"
        " WHERE kind = 'intent' AND (:run IS NULL OR entries.run = :run) AND (:step IS NULL OR a.step = :step)"
        " ORDER BY entries.seq DESC LIMIT :limit",
        {"run": run, "step": step, "limit": limit},
    )
    return [
        Tried(r[0], Place(r[1], r[2], r[3]), r[4], r[5], r[6], r[7], r[8], _cents(r[9]), r[10], r[11])
        for r in rows
    ]


def count_tried(db: sqlite3.Connection, *, run: str | None, step: str | None) -> int:
    """How many attempts there were."""
    ((count,),) = db.execute(
        "SELECT count(*) FROM attempts WHERE (:run IS NULL OR run = :run) AND (:step IS NULL OR step = :step)",
        {"run": run, "step": step},
    )
    return int(count)


def latest_run(db: sqlite3.Connection, step: str | None, *, failed: bool) -> str | None:
    """The run of the latest attempt; of one that failed, or whose end nobody saw, where `failed` says so."""
    row = db.execute(
        "SELECT run FROM attempts WHERE (:step IS NULL OR step = :step)"
        " AND NOT (:failed AND outcome = 'succeeded') ORDER BY seq DESC LIMIT 1",
        {"step": step, "failed": failed},
    ).fetchone()
    return None if row is None else str(row[0])


def score_of(db: sqlite3.Connection, run: str) -> Mapping[str, Any] | None:
    """How the run's forecast did, None where it was not scored."""
    row = db.execute("SELECT score FROM runs WHERE id = ?", (run,)).fetchone()
    return None if row is None or row[0] is None else dict(json.loads(row[0]))


def unseen(db: sqlite3.Connection, run: str) -> int:
    """How many attempts of a run have no end yet: where its process has died, nobody knows what they cost."""
    row = db.execute("SELECT count(*) FROM attempts WHERE run = ? AND settled IS NULL", (run,)).fetchone()
    return int(row[0])


def scores(db: sqlite3.Connection, *, limit: int) -> list[Mapping[str, Any]]:
    """How forecasts did, the latest runs first."""
    rows = db.execute(
        "SELECT score FROM runs WHERE score IS NOT NULL ORDER BY first_seq DESC LIMIT ?", (limit,)
    )
    return [dict(json.loads(row[0])) for row in rows]


def entries_of(db: sqlite3.Connection, run: str, after: int) -> tuple[str, list[dict[str, Any]]]:
    """A run's status, and its entries after number `after` as JSON objects."""
    status, first, last = db.execute(
        "SELECT status, first_seq, last_seq FROM runs WHERE id = ?", (run,)
    ).fetchone()
    rows = db.execute(
        "SELECT seq, kind, body FROM entries WHERE seq BETWEEN ? AND ? AND run = ? ORDER BY seq",
        (max(first, after + 1), last, run),
    )
    return status, [
        {"run": run, "seq": seq, "kind": kind, "body": json.loads(body)} for seq, kind, body in rows
    ]


def plans(db: sqlite3.Connection) -> Iterator[tuple[str, Any]]:
    """Every plan that was run, once: the digest by which runs name it, and the plan as JSON."""
    for digest, text in db.execute(
        "SELECT digest, json FROM content WHERE digest IN (SELECT plan FROM runs)"
    ):
        yield digest, json.loads(text)


def begun(db: sqlite3.Connection, *, since_ms: float | None = None) -> list[Begun]:
    """What every run began with, the latest first; those alone that began since then."""
    rows = db.execute(
        f"SELECT id, started_ms, plan, simulation, contract, spent_micro, {UNKNOWN_COSTS} FROM runs"
        " WHERE :since IS NULL OR started_ms >= :since ORDER BY first_seq DESC",
        {"since": since_ms},
    )
    return [Begun(r[0], r[1], r[2], r[3], r[4], None if r[6] else of_micro(r[5])) for r in rows]


def records(db: sqlite3.Connection, features: Sequence[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every attempt that was seen to end, in the order of their starts: the plan's digest, the step, and a row of
    recorded runs (docs/records.md) with those of `features` that it has.

    What was made once a run was tried again is left out: it is the end of a run that failed and was mended.
    """
    found = db.execute(
        "SELECT runs.plan, a.run, a.step, a.item, a.iteration, a.skill, a.started_ms, a.latency_ms, a.cost_cents,"
        " a.outcome, a.code, a.attempt, entries.body FROM attempts a JOIN runs ON runs.id = a.run"
        " JOIN entries ON entries.seq = a.settled LEFT JOIN (SELECT run, min(seq) AS seq FROM entries"
        " WHERE kind = 'resumed' AND json_extract(body, '$.again') IS NOT NULL GROUP BY run) again ON again.run = a.run"
        " WHERE a.latency_ms IS NOT NULL AND (again.seq IS NULL OR a.seq < again.seq) ORDER BY a.seq"
    )
    for plan, run, step, item, iteration, skill, start, latency, cost, outcome, code, attempt, body in found:
        told = json.loads(body).get("features", {}) if features else {}
        row = {
            "run": run,
            "step": str(Place(step, item, iteration)),
            "skill": skill,
            "start_ms": start,
            "duration_ms": latency,
            "cost_cents": None if cost is None else float(cost),
            "outcome": outcome,
            "code": code,
            "attempt": attempt,
            **{name: told[name] for name in features if name in told},
        }
        yield plan, step, row


def measured(db: sqlite3.Connection, skill: str) -> Measured | None:
    """What the attempts of a skill were like that were seen to end, None where there are none."""
    rows = db.execute(
        "SELECT outcome, coalesce(code, ''), latency_ms, cost_cents, started_ms FROM attempts"
        " WHERE skill = ? AND latency_ms IS NOT NULL ORDER BY latency_ms",
        (skill,),
    ).fetchall()
    if not rows:
        return None
    clean = [latency for outcome, _, latency, _, _ in rows if outcome == "succeeded"]
    costs = [float(cost) for _, _, _, cost, _ in rows if cost is not None]
    codes = Counter(code for _, code, _, _, _ in rows if code)
    return Measured(
        n=len(rows),
        failed=len(rows) - len(clean),
        codes=dict(sorted(codes.items())),
        latency_p50=clean[(len(clean) - 1) // 2] if clean else None,
        latency_p90=clean[math.ceil(0.9 * len(clean)) - 1] if clean else None,
        cost_cents=sum(costs) / len(costs) if costs else None,
        last_ms=max(started for *_, started in rows),
    )


def past_failures(db: sqlite3.Connection, skill: str, code: str) -> PastFailures:
    """How often `skill` failed with `code`, and how often its step succeeded all the same in the end."""
    ((count,),) = db.execute("SELECT count(*) FROM attempts WHERE skill = ? AND code = ?", (skill, code))
    ((recovered,),) = db.execute(
        "SELECT avg(EXISTS (SELECT 1 FROM attempts WHERE (run, step, item, iteration) ="
        " (f.run, f.step, f.item, f.iteration) AND outcome = 'succeeded'))"
        " FROM (SELECT DISTINCT run, step, item, iteration FROM attempts WHERE skill = ? AND code = ?) f"
        " JOIN runs ON runs.id = f.run WHERE status <> 'running'",
        (skill, code),
    )
    return PastFailures(count, recovered)


def recent_calls(db: sqlite3.Connection, since_ms: float) -> dict[str, int]:
    """How many attempts of each skill started since then."""
    calls = dict[str, int]()
    for skill, started_ms in _latest_intents(db):
        if started_ms < since_ms - _SLACK_MS:
            break
        if started_ms >= since_ms:
            calls[skill] = calls.get(skill, 0) + 1
    return calls


def _latest_intents(db: sqlite3.Connection) -> Iterator[tuple[str, float]]:
    return db.execute(
        "SELECT json_extract(body, '$.skill'), json_extract(body, '$.started_ms')"
        " FROM entries WHERE kind = 'intent' ORDER BY seq DESC"
    )


def _line(r: Sequence[Any]) -> RunLine:
    money = Money(_cents(r[7]), of_micro(r[8]), of_micro(r[9]), r[10])
    return RunLine(r[0], r[1], r[2], r[3], r[4], r[5], r[6], money, r[11], r[12], r[13])


def _cents(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
