"""Recorded runs as text: the list of them, one in full, and whether the ledger is sound."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from aos.domain.runs.recorded import Attempted, Held, LedgerCheck, RunLine, RunState
from aos.domain.runs.run import Money, PauseCause, Place, StepEnd
from aos.report.figures import UNKNOWN, cents, chance, count, duration, few, money
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page
from aos.wire.commands import PLAIN, Commands
from aos.wire.results.runs import in_doubt

__all__ = ["check", "imported", "marked", "reconciled", "run", "runs"]

_STYLES = {
    "succeeded": GOOD,
    "failed": BAD,
    "paused": OPEN,
    "cancelled": OPEN,
    "unknown": OPEN,
    "interrupted": OPEN,
}
_WAITS_FOR: Mapping[PauseCause, str] = {
    "budget": "more money",
    "approval": "a go-ahead",
    "envelope": "another approval",
    "unknown_effect": "`aos runs reconcile`",
}
_NAMED = 2
_SHOWN = 200
"""Attempts of a run that are shown; `--json` has all."""
_DAMAGE = 50
_ENOUGH = 10
"""Runs of whose forecasts shares say something."""


def runs(
    lines: Sequence[RunLine],
    width: int,
    colour: bool,
    ascii: bool = False,
    *,
    held: Held | None = None,
    commands: Commands = PLAIN,
) -> str:
    """A row for each run, the latest first; and once there are some, how the forecasts of runs have held."""
    page = Page(width=width, colour=colour, ascii=ascii)
    if not lines:
        page.add(("no run is recorded; `aos run PLAN` makes the first", FAINT))
        return str(page)
    head: list[Line] = [(word, FAINT) for word in ("run", "started", "status", "took", "cost", "plan")]
    rows: list[list[Line]] = [
        [
            one.id,
            _when(one.started_ms),
            [
                _status("interrupted" if one.interrupted else one.status),
                (f" {_nth(one.tries)}" if one.tries > 1 else "", FAINT),
            ],
            duration(one.active_ms) if one.ended_ms is not None else "",
            _spent(one.money),
            one.name or "",
        ]
        for one in lines
    ]
    page.add(page.table("lllrrn", [head, *rows]))
    if held and held.runs >= _ENOUGH:
        page.add()
        page.add(page.table("lrrr", _held(held)))
        if held.said is not None and held.came is not None:
            page.add(f"success was said to come in {chance(held.said)}, and came in {chance(held.came)}")
    if waiting := list(_waiting(lines)):
        page.add()
        for line in waiting:
            page.add(line)
    if lost := [one.id for one in lines if one.interrupted]:
        page.add()
        page.add("the process of an interrupted run has died; what it has done is on record:")
        page.add([("→", STRONG), f" {commands.resume(lost[0])}"])
    return str(page)


def run(
    state: RunState,
    score: Mapping[str, Any] | None,
    width: int,
    colour: bool,
    ascii: bool = False,
    *,
    interrupted: bool = False,
    commands: Commands = PLAIN,
) -> str:
    """One run: how it ended, its forecast beside what happened, and every attempt."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=10)
    start = state.start
    name = start.plan.get("name") if isinstance(start.plan, dict) else None
    page.add([(start.id, STRONG), f"  {name}" if name else ""])
    page.add(
        [
            _status("interrupted" if interrupted else state.status),
            f", {_nth(state.tries)}" if state.tries > 1 else "",
            f": {_why(state)}" if _why(state) else "",
        ]
    )
    page.section("forecast", [page.table("lrrrw", _beside(state, score))])
    attempts = state.attempts[-_SHOWN:]
    left = len(state.attempts) - len(attempts)
    more: list[Line] = [(f"{left:,} earlier attempts: --json has them", FAINT)] if left else []
    goes_on = state.status == "running" and not interrupted
    rows = [_attempt(one, goes_on) for one in attempts]
    page.section("attempts", [*more, page.table("nlllrr", rows)] if rows else [])
    page.section("failures", [page.table("nw", failed)] if (failed := list(_failures(attempts))) else [])
    page.section("by hand", [page.table("nw", said)] if (said := list(_by_hand(state))) else [])
    page.section("next", _next(state, interrupted, commands))
    facts = [("started", _when(start.started_ms)), ("plan", start.plan_digest)]
    if approved := start.approval:
        facts.append(("approved", f"level {approved['level']}, request {approved['request_id']}"))
    page.section("record", [page.table("lw", [[(name, FAINT), (fact, FAINT)] for name, fact in facts])])
    if state.status == "running":
        page.add()
        told = (
            "its process has died; what it has done is on record"
            if interrupted
            else "it is being carried out"
        )
        page.add((told, FAINT))
    return str(page)


def check(found: LedgerCheck, path: str, width: int, colour: bool, ascii: bool = False) -> str:
    """Whether a ledger is whole, and where it is not."""
    page = Page(width=width, colour=colour, ascii=ascii)
    word = ("DAMAGED", BAD) if found.damage else ("WHOLE", GOOD)
    page.add([word, f"  {path}"])
    page.add(f"{_entries(found.entries)}, {count(found.runs, 'run')}")
    if found.damage:
        page.add()
        page.add(page.table("nw", [[one.where, one.what] for one in found.damage[:_DAMAGE]]))
        if len(found.damage) > _DAMAGE:
            page.add((f"and {len(found.damage) - _DAMAGE:,} places more: --json has them", FAINT))
    else:
        page.add()
        page.add(("note the last entry elsewhere; `--expect` then tells an older state, too:", FAINT))
        page.add(f"{found.entries}:{found.head}")
    return str(page)


def imported(
    taken: Sequence[str], known: Sequence[str], width: int, colour: bool, ascii: bool = False
) -> str:
    """What was taken in."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add(f"{count(len(taken), 'run')} taken in, {len(known):,} there already")
    return str(page)


def reconciled(
    place: Place,
    attempt: int,
    then: str,
    committed: bool,
    width: int,
    colour: bool,
    ascii: bool = False,
) -> str:
    """What was said of an attempt, and the command that makes sense next."""
    page = Page(width=width, colour=colour, ascii=ascii)
    did = "took effect and is not done again" if committed else "took no effect and may be done again"
    page.add(f"attempt {attempt} of {place} {did}")
    page.add([("→", STRONG), f" {then}"])
    return str(page)


def marked(end: StepEnd, then: str, width: int, colour: bool, ascii: bool = False) -> str:
    """That a step was done by hand, and the command that makes sense next."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add(f"{end.step} was done by hand and is not done again")
    page.add([("→", STRONG), f" {then}"])
    return str(page)


def _waiting(lines: Sequence[RunLine]) -> Iterator[str]:
    """What the runs that pause wait for."""
    for cause, meant in _WAITS_FOR.items():
        ids = [one.id for one in lines if one.status == "paused" and one.cause == cause]
        if ids:
            yield f"paused for {meant}: {few(ids, _NAMED)}"


def _held(held: Held) -> Iterator[list[Line]]:
    yield [(f"forecasts of {count(held.runs, 'run')}", FAINT), *((p, FAINT) for p in ("p50", "p90", "p95"))]
    for name, within in (("time", held.time), ("cost", held.cost)):
        if within:
            yield [f"{name} within", *map(chance, within)]


# -- parts -------------------------------------------------------------------------------------------------------


def _beside(state: RunState, score: Mapping[str, Any] | None) -> Iterator[list[Line]]:
    """`cost  forecast p50, p90  actual  where in the forecast`."""
    told = state.start.simulation
    forecast = told.get("forecast", {}) if isinstance(told, dict) else {}
    yield [("", FAINT), ("p50", FAINT), ("p90", FAINT), ("actual", FAINT), ""]
    rows = (("cost", "cost_cents", cents), ("time", "duration_ms", duration))
    actual = {"cost": _spent(state.money), "time": duration(state.active_ms) if state.end else UNKNOWN}
    for name, key, write in rows:
        spread = forecast.get(key) or {}
        figures = [spread.get(level, {}).get("value") for level in ("p50", "p90")]
        scored = (score or {}).get(name) or {}
        place = scored.get("percentile")
        sure = scored.get("crps") == 0  # it was certain, and so it came
        stands = f"above {chance(place)} of the forecast" if place is not None and not sure else ""
        stands = stands if state.tries == 1 else f"in {state.tries:,} tries"
        yield [name, *(write(figure) for figure in figures), actual[name], (stands, FAINT)]
    if state.money.budget is not None:
        yield ["budget", "", "", money(state.money.budget), ""]


def _attempt(one: Attempted, under_way: bool) -> list[Line]:
    """`under_way`: a process carries the run out, and may be about to see how the attempt ends."""
    intent, outcome = one.intent, one.outcome
    again = f" #{intent.attempt}" if intent.attempt > 1 else ""
    if outcome is None and under_way:
        return [str(intent.place) + again, intent.skill, _status("running"), "", "", ""]
    code = one.failure.code if one.failure else ""
    return [
        str(intent.place) + again,
        intent.skill,
        _status(one.ended_as),
        code or ("reconciled" if one.reconciled else ""),
        duration(one.latency_ms),
        cents(outcome.execution.cost_cents) if outcome else UNKNOWN,
    ]


def _failures(attempts: Sequence[Attempted]) -> Iterator[list[Line]]:
    for one in attempts:
        if one.failure:
            yield [f"{one.intent.place} #{one.intent.attempt}", f"{one.failure.code}: {one.failure.detail}"]


def _by_hand(state: RunState) -> Iterator[list[Line]]:
    for name, end in state.steps.items():
        if end.by_hand:
            yield [name, f"{_when(end.ended_ms)} {end.by_hand.who}: {end.by_hand.reason}"]


def _next(state: RunState, interrupted: bool, commands: Commands) -> Iterator[Line]:
    """What can be done about a run that waits, or failed."""
    run = state.start.id
    skills = {one.intent.place: one.intent.skill for one in state.attempts}
    if interrupted or state.status in ("paused", "cancelled", "failed"):
        for place in in_doubt(state):
            yield f"find out whether {place} ({skills[place]}) took effect, then"
            yield [("→", STRONG), f" {commands.reconcile(run, place)} --[not-]committed"]
    if state.status == "failed":
        yield [("→", STRONG), f" {commands.retry(run)}"]
    if interrupted or state.status in ("paused", "cancelled"):
        limited = state.end is not None and state.end.cause in ("budget", "envelope")
        more = "" if not limited else "--approval ID" if state.start.approval else "--budget CENTS"
        if limited and state.start.approval:
            yield [("→", STRONG), f" {commands.request(run)}"]
        yield [("→", STRONG), f" {commands.resume(run, more)}"]


def _why(state: RunState) -> str:
    if state.end is None or state.status != state.end.status:
        return ""
    end = state.end
    cause = {
        "budget": "no money is left",
        "approval": "a person has to agree",
        "envelope": "the rest has left what was approved",
    }
    told = [cause.get(end.cause or "", ""), f"at {end.at}" if end.at else "", end.detail]
    return ", ".join(filter(None, told))


def _nth(tries: int) -> str:
    return f"try {tries:,}"


def _status(word: str) -> tuple[str, str]:
    return (word, _STYLES.get(word, STRONG))


def _spent(found: Money) -> str:
    if not found.unknown:
        return cents(found.spent)
    return f"over {cents(found.spent)}" if found.spent > Decimal(0) else UNKNOWN


def _when(ms: float) -> str:
    return f"{datetime.fromtimestamp(ms / 1000):%Y-%m-%d %H:%M}"


def _entries(n: int) -> str:
    return f"{n:,} entr{'y' if n == 1 else 'ies'}"
