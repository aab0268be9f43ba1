"""Replays as JSON: the document `aos.policy-replay/1`, and a line for each record."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from aos.domain.approvals.levels import LEVELS
from aos.domain.approvals.replays import CHANGES, Answer, Answers, Near, Recorded, Replay, Row, RuleUse, Why
from aos.wire.policies import rule_document
from aos.wire.results.documents import Document, envelope, figure, money, significant

__all__ = ["Compared", "replay_document", "row_document"]

MAX_ROWS = 100
"""Changed records that are told one by one."""
_GROUPS, _EXAMPLES = 20, 5
_WEEK_MS, _DAY_MS = 7 * 86_400_000.0, 86_400_000.0


class Compared(NamedTuple):
    """What people call the two policies."""

    current: str
    candidate: str


def replay_document(replay: Replay, names: Compared, waits_ms: Mapping[int, float] | None = None) -> Document:
    """The document. `waits_ms` is how long people have taken to decide, by level, where that is known."""
    rows = replay.rows
    unknown = [row.recorded for row in rows if row.said is None]
    moved = [row for row in rows if row.change]
    transitions = _transitions(rows)
    return {
        **envelope("aos.policy-replay/1"),
        "current": {"name": names.current, "policy_digest": replay.current},
        "candidate": {"name": names.candidate, "policy_digest": replay.candidate},
        "total": len(rows),
        "determined": len(rows) - len(unknown),
        "undetermined": len(unknown),
        "changed": len(moved),
        "left_off": replay.left_off,
        "passed_over": replay.passed_over,
        "changes": {kind: sum(row.change == kind for row in moved) for kind in CHANGES},
        "window": _window(rows),
        "sources": _sources(rows),
        "transitions": transitions,
        "approvals": _approvals(rows, waits_ms or {}),
        "rules": [_use(use) for use in replay.rules],
        "near": [_near(near) for near in replay.near],
        "unknown_because": _because(unknown),
        "rows": [row_document(row) for row in moved[:MAX_ROWS]],
        "rows_left_off": max(0, len(moved) - MAX_ROWS),
        "unknowns": list(_unknowns(transitions, moved[:MAX_ROWS])),
    }


def _unknowns(transitions: Sequence[Document], rows: Sequence[Row]) -> Iterator[Document]:
    """Each amount that nobody knows."""
    for i, one in enumerate(transitions):
        for name in ("forecast_cents", "spent_cents"):
            if one[name]["cents"] is None:
                yield {"pointer": f"/transitions/{i}/{name}/cents", "reason": "it is known of none of them"}
    for i, (recorded, _) in enumerate(rows):
        if recorded.forecast_cents is None:
            yield {
                "pointer": f"/rows/{i}/forecast_cents",
                "reason": "the forecast did not know, or was not kept",
            }
        if recorded.source == "run" and recorded.spent_cents is None:
            yield {"pointer": f"/rows/{i}/spent_cents", "reason": "nobody knows the cost of some attempt"}


def row_document(row: Row) -> Document:
    """One record under both policies; what can't be told is null, and `why`."""
    one = row.recorded
    return {
        "id": one.id,
        "source": one.source,
        "at_ms": _moment(one.at_ms),
        "basis": one.basis,
        "change": row.change,
        "before": row.said and _answer(row.said.before),
        "after": row.said and _answer(row.said.after),
        "why": one.why and one.why._asdict(),
        "forecast_cents": figure(one.forecast_cents),
        "spent_cents": money(one.spent_cents),
    }


def _moment(at_ms: float | None) -> int | None:
    """A moment, in whole milliseconds."""
    return None if at_ms is None else round(at_ms)


def _answer(answer: Answer) -> Document:
    return {**answer._asdict(), "rules": list(answer.rules), "step": answer.step or None}


def _window(rows: Iterable[Row]) -> Document:
    """From the first to the last record that has a time; plans have none."""
    times = [row.recorded.at_ms for row in rows if row.recorded.at_ms is not None]
    return {
        "first_ms": _moment(min(times, default=None)),
        "last_ms": _moment(max(times, default=None)),
        "weeks": None if (weeks := _weeks(times)) is None else significant(weeks),
    }


def _weeks(times: Sequence[float]) -> float | None:
    """None for less than a day, which says nothing of a week."""
    span = max(times) - min(times) if times else 0.0
    return span / _WEEK_MS if span >= _DAY_MS else None


def _sources(rows: Iterable[Row]) -> list[Document]:
    """How many of each kind of record, and whose facts they were asked by."""
    found = Counter((row.recorded.source, row.recorded.basis) for row in rows)
    return [
        {"source": source, "basis": basis, "records": n}
        for (source, basis), n in sorted(found.items(), key=lambda one: (one[0][0], one[0][1] or ""))
    ]


# -- transitions -------------------------------------------------------------------------------------------------------


class _Moved(NamedTuple):
    """A record whose answer changes."""

    recorded: Recorded
    said: Answers

    @property
    def ends(self) -> tuple[int, int, int]:
        """From where to where, so that the most serious is the least."""
        change = self.said.change
        order = CHANGES.index(change) if change else len(CHANGES)
        return order, self.said.before.strictness, self.said.after.strictness

    @property
    def rules(self) -> tuple[str, tuple[str, ...], str, tuple[str, ...]]:
        """By which rules."""
        was, now = self.said
        return was.ground, was.rules, now.ground, now.rules


def _transitions(rows: Iterable[Row]) -> list[Document]:
    """From which answer to which, the most serious first, and by which rules."""
    found = defaultdict[tuple[int, int, int], list[_Moved]](list)
    for recorded, said in rows:
        if said and said.change:
            one = _Moved(recorded, said)
            found[one.ends].append(one)
    return [_transition(moved) for _, moved in sorted(found.items(), key=itemgetter(0))]


def _transition(moved: Sequence[_Moved]) -> Document:
    said = moved[0].said
    groups = defaultdict[tuple[Any, ...], list[_Moved]](list)
    for one in moved:
        groups[one.rules].append(one)
    ordered = sorted(groups.items(), key=lambda one: (-len(one[1]), one[0]))
    return {
        "change": said.change,
        "before": {"decision": said.before.decision, "level": said.before.level},
        "after": {"decision": said.after.decision, "level": said.after.level},
        "records": len(moved),
        "forecast_cents": _sum((one.recorded.forecast_cents for one in moved), math.fsum),
        "spent_cents": _sum((one.recorded.spent_cents for one in moved if _is_run(one.recorded)), sum),
        "groups": [_group(of) for _, of in ordered[:_GROUPS]],
        "groups_left_off": max(0, len(ordered) - _GROUPS),
    }


def _is_run(one: Recorded) -> bool:
    """Whether it has cost anything yet: plans, requests and evaluations have not."""
    return one.source == "run"


def _sum(amounts: Iterable[Any], add: Callable[[list[Any]], Any]) -> Document:
    """The sum of what is known (null: nothing is), of how many, and of how many nobody knows it."""
    every = list(amounts)
    known = [amount for amount in every if amount is not None]
    total = add(known) if known or not every else None
    shown = money(total) if isinstance(total, Decimal) else figure(total)
    return {"cents": shown, "known": len(known), "unknown": len(every) - len(known)}


def _group(moved: Sequence[_Moved]) -> Document:
    was, now = moved[0].said
    return {
        "records": len(moved),
        "before": {"ground": was.ground, "rules": list(was.rules)},
        "after": {"ground": now.ground, "rules": list(now.rules)},
        "examples": [
            {"id": one.recorded.id, "source": one.recorded.source, "step": one.said.after.step or None}
            for one in moved[:_EXAMPLES]
        ],
    }


# -- what it asks of people, and what rules do -------------------------------------------------------------------------


def _approvals(rows: Sequence[Row], waits_ms: Mapping[int, float]) -> list[Document]:
    """How many need somebody of each level, before and after; a week, of those that have a time."""
    timed = [row for row in rows if row.recorded.at_ms is not None]
    weeks = _weeks([row.recorded.at_ms for row in timed if row.recorded.at_ms is not None])
    return [
        {
            "level": level,
            "before": _at(rows, level)[0],
            "after": _at(rows, level)[1],
            "per_week_before": None if weeks is None else significant(_at(timed, level)[0] / weeks),
            "per_week_after": None if weeks is None else significant(_at(timed, level)[1] / weeks),
            "wait_p50_ms": figure(waits_ms.get(level)),
        }
        for level in LEVELS
    ]


def _at(rows: Iterable[Row], level: int) -> tuple[int, int]:
    both = [said for _, said in rows if said]
    return sum(said.before.level == level for said in both), sum(said.after.level == level for said in both)


def _use(use: RuleUse) -> Document:
    return {
        "rule": rule_document(use.rule),
        "allow": use.decided.get("allow", 0),
        "requires_approval": use.decided.get("requires_approval", 0),
        "deny": use.decided.get("deny", 0),
        "matched": use.matched,
    }


def _near(near: Near) -> Document:
    return {
        "fact": near.fact,
        "records": near.looked,
        "stricter": {"records": len(near.stricter), "examples": list(near.stricter[:_EXAMPLES])},
        "looser": {"records": len(near.looser), "examples": list(near.looser[:_EXAMPLES])},
    }


def _because(unknown: Iterable[Recorded]) -> list[Document]:
    found = defaultdict[Why, list[Recorded]](list)
    for one in unknown:
        if one.why:
            found[one.why].append(one)
    ordered = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return [
        {
            "code": code,
            "detail": detail,
            "records": len(of),
            "examples": [{"id": one.id, "source": one.source} for one in of[:_EXAMPLES]],
        }
        for (code, detail), of in ordered[:_GROUPS]
    ]
