"""The comparison of two plans for people: what it changes, and which of it is more than noise."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.table import Table

from aos.domain.forecasts.differences import Change, Comparison, Delta, Pair, Quantity, StepDifference
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Decision
from aos.errors import CODES
from aos.report.figures import UNKNOWN, cents, chance, count, duration
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page, left_out
from aos.wire.problems import visible

_COLOURS: Mapping[Decision, str] = {"feasible": GOOD, "infeasible": BAD, "undetermined": OPEN}
_MARKS: Mapping[str, tuple[str, str]] = {
    "added": ("+", f"bold {GOOD}"),
    "removed": ("-", f"bold {BAD}"),
    "changed": ("~", f"bold {OPEN}"),
    "same": ("=", FAINT),
}
_WORDS = {
    "verdict": "verdict",
    "feasible": "chance within the limits",
    "success": "chance of success",
    "cost_mean": "mean cost",
    "cost_p95": "p95 cost",
    "time_mean": "mean time",
    "time_p95": "p95 time",
    "approvals": "approvals",
}
_STEPS, _CHANGES, _VALUE, _PLACES = 20, 20, 40, 5
"""Steps and changes shown, characters of a value, reasons and unknown figures named."""
_ROOM = 50
"""Columns."""


class _Scale(NamedTuple):
    """How a figure is written, and how a difference of it, without its sign."""

    write: Callable[[float], str]
    apart: Callable[[float], str]
    more_is_better: bool = False


_CENTS, _MS = _Scale(cents, cents), _Scale(duration, duration)
_CHANCE = _Scale(chance, lambda p: f"{p * 100:.2f}", more_is_better=True)
_FAILURE = _CHANCE._replace(more_is_better=False)


def comparison(found: Comparison, width: int, colour: bool, ascii: bool = False) -> str:
    """The whole answer, at most `width` columns wide (it uses 40 to 100)."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    page.add(_verdicts(found))
    for line in _sum(found):
        page.add(line)
    page.section("why", _reasons(found))
    page.section("cost", _quantity(page, found.figures.cost, _CENTS))
    page.section("time", _quantity(page, found.figures.time, _MS))
    page.section("chance", [_chances(page, found)])
    page.section("approval", _approvals(found))
    page.section("plan", [page.table("pw", [_change(change) for change in found.changes[:_CHANGES]])])
    page.section("steps", _steps(page, found.steps))
    page.section("unknown", [*_unknowns("A", found.a), *_unknowns("B", found.b)])
    page.section("basis", _basis(found))
    return str(page)


def _verdicts(found: Comparison) -> Line:
    a, b = found.a.verdict.decision, found.b.verdict.decision
    now = (b.upper(), f"bold {_COLOURS[b]}")
    return [now, "  as before"] if a == b else [(a.upper(), _COLOURS[a]), " → ", now]


def _sum(found: Comparison) -> Iterator[Line]:
    """What is worse, what is better; or that nothing is."""
    for word, names, style in (("worse", found.worse, BAD), ("better", found.better, GOOD)):
        if names:
            yield [(word, style), f": {', '.join(_WORDS[name] for name in names)}"]
    if not found.worse and not found.better:
        figures = found.figures
        wholes = (*figures.cost, *figures.time, figures.feasible, figures.success)
        yield "no difference" if all(map(_same, wholes)) else "no difference that is more than noise"


def _reasons(found: Comparison) -> Iterator[Line]:
    """Why the verdict on B is another."""
    if found.a.verdict.decision != found.b.verdict.decision:
        for reason in found.b.verdict.reasons[:_PLACES]:
            yield [(CODES[reason.code].title, STRONG), (f"  {reason.code}", FAINT)]
            yield [reason.detail, (f"  {reason.pointer}", FAINT)]


# -- figures -----------------------------------------------------------------------------------------------


def _quantity(page: Page, quantity: Quantity, scale: _Scale) -> Iterator[Line | Table]:
    named = quantity._asdict()
    if all(map(_same, quantity)):
        yield [("the same  ", FAINT), ", ".join(f"{name} {_figure(p.b, scale)}" for name, p in named.items())]
    else:
        yield _table(page, "difference", named, scale)


def _chances(page: Page, found: Comparison) -> Table:
    """Those that a limit was given for in either plan."""
    figures, limits = found.figures, (found.a.limits, found.b.limits)
    asked = {
        "in budget": (figures.in_budget, any(own.budget_cents is not None for own in limits)),
        "in time": (figures.in_time, any(own.deadline_ms is not None for own in limits)),
    }
    shown = {name: pair for name, (pair, given) in asked.items() if given}
    whole = {"feasible": figures.feasible} if shown else {}
    return _table(page, "points", {**whole, "success": figures.success, **shown}, _CHANCE)


def _table(page: Page, difference: str, named: Mapping[str, Pair], scale: _Scale) -> Table:
    """A row each: its name, both figures, the difference, and whether that is noise. A narrow page has no A."""
    head: list[Line] = [(word, FAINT) for word in ("", "A", "B", difference, "")]
    rows = [head, *(_row(name, pair, scale, with_error=_roomy(page)) for name, pair in named.items())]
    return page.table("lrrrl", rows) if _roomy(page) else page.table("lrrl", [[n, *r] for n, _, *r in rows])


def _roomy(page: Page) -> bool:
    """Whether there is room for standard errors and the names of skills."""
    return page.inner >= _ROOM


def _row(name: str, pair: Pair, scale: _Scale, *, with_error: bool) -> list[Line]:
    noise = pair.delta is not None and pair.delta.kind == "noise"
    figures: list[Line] = [
        (_figure(value, scale), OPEN if value is None else "") for value in (pair.a, pair.b)
    ]
    difference = _difference(pair, scale, with_error=with_error)
    return [name, *figures, difference, ("noise", FAINT) if noise else ""]


def _figure(value: float | None, scale: _Scale) -> str:
    return UNKNOWN if value is None else scale.write(value)


def _difference(pair: Pair, scale: _Scale, *, with_error: bool) -> tuple[str, str]:
    """In colour where it is more than noise."""
    if pair.delta is None:
        return UNKNOWN, OPEN
    if _same(pair):
        return "the same", FAINT
    se = float(f"{pair.delta.se:.2g}")
    text = _signed(pair.delta, scale) + (f" ± {scale.apart(se)}" if se and with_error else "")
    return text, _style(pair, scale) if pair.delta.kind == "real" else FAINT


def _signed(delta: Delta, scale: _Scale) -> str:
    return f"{'-' if delta.value < 0 else '+'}{scale.apart(abs(delta.value))}"


def _style(pair: Pair, scale: _Scale) -> str:
    return GOOD if pair.rises == scale.more_is_better else BAD


def _same(pair: Pair) -> bool:
    return pair.delta is not None and pair.delta.kind == "same"


def _approvals(found: Comparison) -> Iterator[Line]:
    for one in found.approvals[:_STEPS]:
        before, after = ("none" if level is None else f"level {level}" for level in (one.a, one.b))
        yield f"{one.step}: {before} → {after}"


# -- the steps ---------------------------------------------------------------------------------------------


def _steps(page: Page, steps: Sequence[StepDifference]) -> Iterator[Line | Table]:
    """Steps that differ, or that one which does affects, with what is real of it; the others are counted."""
    told = [(step, _effects(step)) for step in steps]
    told = [(step, effects) for step, effects in told if step.status != "same" or any(effects)]
    if told:
        head: list[Line] = [(word, FAINT) for word in ("", "", "cost", "time", "fails, points", "")]
        rows = [[_MARKS[s.status], _name(s), *effects, (s.skill, FAINT)] for s, effects in told[:_STEPS]]
        columns = 6 if _roomy(page) else 4
        yield page.table("lnrrrn"[:columns], [row[:columns] for row in (head, *rows)])
    yield from left_out(len(told) - _STEPS)
    if len(told) < len(steps):
        yield (f"{count(len(steps) - len(told), 'step')} the same", FAINT)
    changes = [[_name(step), *_change(change)] for step, _ in told for change in step.changes]
    if changes:
        yield ""
        yield page.table("npw", changes[:_CHANGES])
    yield from left_out(len(changes) - _CHANGES)


def _name(step: StepDifference) -> str:
    return " → ".join(dict.fromkeys(name for name in (step.a, step.b) if name is not None))


def _effects(step: StepDifference) -> list[Line]:
    """What the step adds to a run or takes from it: cost, time, points of failure; "" for noise."""
    figures = step.figures
    found: list[Line] = []
    for pair, scale in ((figures.cost, _CENTS), (figures.time, _MS), (figures.fails, _FAILURE)):
        if pair.delta is None:
            found.append((UNKNOWN, OPEN))
        else:
            real = pair.delta.kind == "real"
            found.append((_signed(pair.delta, scale), _style(pair, scale)) if real else "")
    return found


def _change(change: Change) -> list[Line]:
    before, after = (
        visible(json.dumps(v, ensure_ascii=False), _VALUE) for v in (change.before, change.after)
    )
    words = {"add": f"+ {after}", "remove": f"- {before}", "replace": f"{before} → {after}"}
    return [(change.pointer, FAINT), words[change.op]]


# -- what it rests on --------------------------------------------------------------------------------------


def _unknowns(name: str, side: SimulationResult) -> Iterator[Line]:
    missing = dict.fromkeys((unknown.reason, unknown.pointer) for unknown in side.forecast.unknowns)
    for reason, pointer in list(missing)[:_PLACES]:
        yield [f"{name}: {reason}", (f"  {pointer}", FAINT)]
    if len(missing) > _PLACES:
        yield (f"{name}: … and {len(missing) - _PLACES:,} more", FAINT)


def _basis(found: Comparison) -> Iterator[Line]:
    samples = found.a.forecast.samples
    yield (f"{samples:,} samples of each with the same luck, seed {found.a.seed}", FAINT)
    for name, side in (("A", found.a), ("B", found.b)):
        named = f"{side.plan.name}, " if side.plan.name else ""
        plan, catalog = (d.removeprefix("sha256:")[:8] for d in (side.digests.plan, side.digests.catalog))
        steps = count(len(side.plan.steps), "step")
        yield (f"{name}: {named}{steps}; plan {plan}, catalog {catalog}", FAINT)
        for note in side.notes:
            yield (f"note on {name}: {note}", FAINT)
