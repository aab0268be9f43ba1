"""What run records answer: what was tried, how the last step went, why a step failed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aos.domain.runs.run import Place
from aos.domain.skills.failures import FAILURES
from aos.errors import AosError
from aos.wire.results.documents import Document

__all__ = ["Attempted", "attempts", "last_step", "what_was_tried", "why_it_failed"]

_TRIED = 50
"""Attempts that are told, the latest first."""


class Attempted(NamedTuple):
    """An attempt of a record, and the record."""

    run: Mapping[str, Any]
    attempt: Mapping[str, Any]


def attempts(records: Sequence[Mapping[str, Any]], step: str | None) -> list[Attempted]:
    """Every attempt of these runs, or of a step in them, the latest first."""
    found = [
        Attempted(record, attempt)
        for record in records
        for attempt in record["attempts"]
        if step in (None, attempt["step"])
    ]
    return sorted(found, key=lambda one: one.attempt["started_ms"], reverse=True)


def what_was_tried(found: Sequence[Attempted]) -> tuple[Document, dict[str, str]]:
    """The latest attempts, and why nulls in them are unknown."""
    told = found[:_TRIED]
    unknowns = {
        f"attempts/{i}/{key}": "nobody knows"
        for i, one in enumerate(told)
        for key in ("latency_ms", "cost_cents")
        if one.attempt[key] is None
    }
    lines = [_line(one) for one in told]
    return {"count": len(found), "attempts": lines, "history": lines}, unknowns


def last_step(found: Sequence[Attempted]) -> tuple[Document, dict[str, str]]:
    """The attempt that was made last, and what its step came to. Raises AosError(needs_ledger) where there is none."""
    last = _first(iter(found), "no attempt is recorded")
    outcome = last.run["steps"].get(last.attempt["step"])
    line = {**_line(last), **_failure(last), "run_status": last.run["status"], "step_outcome": outcome}
    unknowns = {} if outcome else {"step_outcome": "the end of the step is not recorded"}
    return {**line, "outcome": last.attempt["outcome"]}, unknowns


def why_it_failed(found: Sequence[Attempted]) -> tuple[Document, dict[str, str]]:
    """The latest failure: what it means, how such failures went before, what to do.

    Raises AosError(needs_ledger) where none is recorded.
    """
    failed = [one for one in found if one.attempt["outcome"] != "succeeded"]
    last = _first(iter(failed), "no failed attempt is recorded")
    code = last.attempt["code"] or "INTERRUPTED"
    kind = FAILURES.get(code)
    alike = [one for one in failed if (one.attempt["skill"], one.attempt["code"]) == _kind(last)]
    ended = [one.run["steps"].get(one.attempt["step"]) for one in alike if one.run["steps"]]
    result = {
        **_line(last),
        **_failure(last),
        "run_status": last.run["status"],
        "meaning": kind.meaning if kind else None,
        "advice": kind.advice if kind else None,
        "alternatives": last.attempt["alternatives"],
        "next_actions": last.attempt["next_actions"],
        "similar_past_failures": len(alike),
        "past_recovery_success_rate": ended.count("succeeded") / len(ended) if ended else None,
    }
    unknowns = {} if ended else {"past_recovery_success_rate": "no run that met this failure has ended"}
    if kind is None:
        unknowns |= dict.fromkeys(("meaning", "advice"), f"the skill's descriptor says what {code} is")
    return result, unknowns


def _first(found: Iterator[Attempted], missing: str) -> Attempted:
    one = next(found, None)
    if one is None:
        raise AosError("needs_ledger", missing, fix="Upload run records first: `aos runs push`.")
    return one


def _kind(one: Attempted) -> tuple[str, str | None]:
    return one.attempt["skill"], one.attempt["code"]


def _line(one: Attempted) -> Document:
    attempt = one.attempt
    kept = ("skill", "attempt", "outcome", "code", "effect", "latency_ms", "cost_cents")
    place = Place(attempt["step"], attempt["item"], attempt["iteration"])
    return {"step": str(place), **{key: attempt[key] for key in kept}, "run": one.run["run_id"]}


def _failure(one: Attempted) -> Document:
    return {key: one.attempt[key] for key in ("category", "detail", "retryable")}
