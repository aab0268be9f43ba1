"""A run for people: how it went beside its forecast, and every attempt."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rich.table import Table

from aos.domain.runs.recorded import Attempted, RunState
from aos.domain.runs.run import RunStatus
from aos.report.figures import UNKNOWN, cents, chance, count, duration, money
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page

__all__ = ["trace"]

_COLOURS: Mapping[RunStatus, str] = {
    "succeeded": GOOD,
    "failed": BAD,
    "paused": OPEN,
    "cancelled": OPEN,
    "running": OPEN,
}
_MOST = 40
"""Attempts that are shown; the first and last ones of a longer run."""


def trace(state: RunState, actions: tuple[str, ...], width: int, colour: bool, ascii: bool = False) -> str:
    """The whole run, at most `width` columns wide. `actions` are what makes sense now."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    spent = (
        f"{cents(state.money.spent)} and what nobody knows"
        if state.money.unknown
        else cents(state.money.spent)
    )
    page.add(
        [
            (state.status.upper(), f"bold {_COLOURS[state.status]}"),
            f"  {spent}, {duration(state.active_ms)}  ",
            (f"run {state.start.id}", FAINT),
        ]
    )
    if state.end and state.end.detail:
        page.add(state.end.detail)
    page.section("forecast", [_beside(page, state)])
    page.section("steps", _attempts(page, state))
    page.section("output", _output(state))
    page.section("next", list(actions))
    return str(page)


def _beside(page: Page, state: RunState) -> Table:
    """Three figures, forecast and come true."""
    told: Mapping[str, Any] = state.start.simulation or {}
    forecast = told.get("forecast") or {}
    made = len(state.attempts)
    expected = sum(step["attempts"] * step["chance_to_run"] for step in told.get("step_estimates", ()))
    success = (told.get("chances") or {}).get("success", {}).get("value")
    came = {"succeeded": "it did", "failed": "it did not"}.get(state.status, "not yet told")
    came += f", in try {state.tries:,}" if state.tries > 1 else ""
    rows: list[list[Line]] = [
        ["", ("expected", FAINT), ("95 of 100 within", FAINT), ("this run", FAINT)],
        ["cost", *_spread(forecast.get("cost_cents"), cents), (_spent(state), STRONG)],
        ["time", *_spread(forecast.get("duration_ms"), duration), _took(state)],
        ["attempts", f"{expected:.3g}" if expected else "", "", (f"{made:,}", STRONG)],
        ["succeeds", UNKNOWN if success is None else chance(success), "", (came, STRONG)],
    ]
    return page.table("lrrl", rows)


def _spread(spread: Mapping[str, Any] | None, write: Any) -> tuple[str, str]:
    if spread is None:
        return UNKNOWN, UNKNOWN
    return write(float(spread["p50"]["value"])), write(float(spread["p95"]["value"]))


def _spent(state: RunState) -> str:
    held = state.money
    of = f" of {money(held.budget)}" if held.budget is not None else ""
    more = f", {count(held.unknown, 'attempt')} of unknown cost" if held.unknown else ""
    return f"{cents(held.spent)}{of}{more}"


def _took(state: RunState) -> Line:
    deadline = state.start.deadline_ms
    if deadline is None:
        return duration(state.active_ms), STRONG
    late = state.active_ms > deadline
    of = f"{duration(state.active_ms)} of {duration(deadline, stated=True)}"
    return (f"{of}, late", BAD) if late else (of, STRONG)


def _attempts(page: Page, state: RunState) -> Iterator[Table]:
    rows = [_attempt(attempted) for attempted in state.attempts]
    if len(rows) > _MOST:
        left_out = len(rows) - _MOST
        rows = [*rows[: _MOST // 2], ["…", f"{left_out:,} more", "", "", ""], *rows[-_MOST // 2 :]]
    tried = {attempted.intent.place.step for attempted in state.attempts}
    rows += [
        [name, "", (end.outcome, FAINT), "", f"by hand: {end.by_hand.reason}" if end.by_hand else ""]
        for name, end in state.steps.items()
        if name not in tried or end.by_hand
    ]
    if rows:
        yield page.table("nnlrw", rows)


def _attempt(attempted: Attempted) -> list[Line]:
    intent, outcome = attempted.intent, attempted.outcome
    head: list[Line] = [str(intent.place), intent.skill]
    if outcome is None:
        return [*head, ("unknown", OPEN), "", "nobody saw how it ended"]
    failure = outcome.failure
    note = f"attempt {intent.attempt}" if intent.attempt > 1 else ""
    if outcome.execution.cost_cents != Decimal(0):
        cost = outcome.execution.cost_cents
        note = ", ".join(filter(None, (note, "cost unknown" if cost is None else cents(cost))))
    if failure:
        note = f"{failure.category}: {failure.detail}" + (f" ({note})" if note else "")
    return [
        *head,
        (failure.code, BAD) if failure else ("ok", GOOD),
        duration(attempted.latency_ms),
        note,
    ]


def _output(state: RunState) -> Iterator[Line]:
    """What the step that ended last gave."""
    done = [end for end in state.steps.values() if end.outcome == "succeeded"]
    if state.status == "succeeded" and done:
        text = json.dumps(done[-1].output, ensure_ascii=False)
        yield text if len(text) <= 400 else text[:400] + "…"
