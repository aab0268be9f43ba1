"""Forecast recorded runs from those before them, and score the forecasts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from aos.api.files.sources import load_plan
from aos.api.forecast.cases import case
from aos.api.learning.calibrate import calibrate
from aos.domain.forecasts.verdicts import Limits
from aos.domain.learning.backtest import Backtest, Gate, LeftOut, Pooled
from aos.domain.learning.calibration import Calibration
from aos.domain.learning.records import Records
from aos.domain.plans.plan import OnError, Plan, RetryOverride, Step
from aos.domain.plans.sizes import MAX_ITEMS
from aos.domain.skills.skill import Catalog
from aos.errors import AosError

if TYPE_CHECKING:
    from aos.engine.execution.program import Program
    from aos.engine.sampling.distributions import Floats
    from aos.engine.scores import backtest as scores
    from aos.engine.scores import heldout
    from aos.engine.scores.by_size import Sizes

__all__ = ["Thresholds", "backtest", "calls_of"]

_SAMPLES = 10_000
_SHAPES = 1_000
"""Shapes of runs that are forecast, those with the most runs first."""
_SIZES, _LEAST_SIZES = 100, 10
"""Sizes of attempts that are told apart, of all skills together and of each at least."""
_SAMPLES_BY_SIZE = 1_000_000
"""Of all runs together that are forecast by their own sizes."""
_TRIED_ONCE = RetryOverride(max_attempts=1)


class Thresholds(NamedTuple):
    """What the forecasts are held to: a least coverage of the 90 % intervals, a greatest CRPS over the naive one's."""

    min_coverage: float | None = None
    max_crps_ratio: float | None = None


NO_THRESHOLDS = Thresholds()


def backtest(
    records: Records,
    *,
    base: Catalog,
    by: Sequence[str] = (),
    plan: str | None = None,
    shapes: bool = False,
    split: float = 0.6,
    thresholds: Thresholds = NO_THRESHOLDS,
    catalog: Catalog | None = None,
    known: Sequence[str] | None = None,
    samples: int = _SAMPLES,
    seed: int = 0,
) -> Backtest:
    """Learn a catalog from the first `split` of the runs, forecast what came after, and score it.

    Scored are the single attempts of every skill, by what they state where it grows with that; with `shapes` the
    recorded runs, by their shape; with a `plan` (a path, `-`, or the JSON itself) it, against the runs that call
    nothing but its skills, as often as it does. Each attempt and run is forecast by the features that it had and
    that are `known` before, all unless said; where a plan is given, by those that it states. A `catalog` is scored in
    place of one learned from the past. Raises InputError(invalid_plan), and AosError(usage) where there are too few
    runs to split.
    """
    from aos.engine.scores import heldout

    parts = heldout.split(records, split)
    if parts is None:
        raise AosError(
            "usage",
            f"runs on both sides of the split are needed, and there are {len(set(records.run.codes)):,} in all",
            fix="Record more runs, or choose another --split.",
        )
    learned = calibrate(parts.past, base=base, by=by)
    names = tuple(records.features) if known is None else tuple(known)
    work = _Work(learned, catalog or learned.catalog, parts, tuple(by), names, samples, seed)
    work.skills()
    if shapes:
        work.shapes()
    if plan:
        work.plan(load_plan(plan, work.catalog).plan)
    return work.scored(thresholds)


class _Work:
    """The cases while they are collected, and what could be no case."""

    def __init__(
        self,
        learned: Calibration,
        catalog: Catalog,
        parts: "heldout.Split",
        by: tuple[str, ...],
        known: tuple[str, ...],
        samples: int,
        seed: int,
    ) -> None:
        self._learned = learned
        self.catalog = catalog
        self._parts = parts
        self._by = by
        self._known = known
        self._samples = samples
        self._seed = seed
        growing = sum(bool(skill.latency_by or skill.cost_by) for skill in catalog.skills.values())
        self._sizes = max(_LEAST_SIZES, _SIZES // max(1, growing))
        self._cases: list[scores.Case] = []
        self._left_out: list[LeftOut] = []

    def skills(self) -> None:
        """A case for each skill that was called before the split and after it."""
        from aos.engine.scores import heldout

        past = heldout.attempts(self._parts.past, self._by)
        sizes = heldout.sizes(self._parts.future, self._by)
        for called, seen in heldout.attempts(self._parts.future, self._by).items():
            name = self._id(called)
            if called in past and name:
                self._add_skill(name, past[called], seen, self._told(sizes[called]))
            else:
                self._leave_out(_spelled(called), "not recorded before the split", len(seen.run))

    def shapes(self) -> None:
        """A case for each shape of runs; one that is new is compared with what all runs before it took."""
        from aos.engine.scores import heldout

        past = heldout.shaped_runs(self._parts.past, self._by)
        future = heldout.shaped_runs(self._parts.future, self._by)
        going_on = heldout.going_on(past)
        everything = heldout.whole_runs(self._parts.past, self._by, lambda _: True)
        sizes = heldout.run_sizes(self._parts.future, self._by, future.values())
        for number, ((key, shape), x) in enumerate(zip(future.items(), sizes, strict=True)):
            called, after = key
            names = [self._id(one) for one in called]
            title = _title(list(map(_spelled, called)), after)
            if number >= _SHAPES:
                self._leave_out(title, f"over the limit of {_SHAPES:,} shapes", len(shape.began))
            elif not all(names):
                why = "it calls a skill that was not recorded before the split"
                self._leave_out(title, why, len(shape.began))
            else:
                before = past.get(key)
                goes_on = going_on(key)
                plan = _plan([name or "" for name in names], after, goes_on)
                known = heldout.runs_of(before, goes_on) if before else everything
                self._add_runs(title, plan, known, heldout.runs_of(shape, goes_on), self._told(x))

    def plan(self, plan: Plan) -> None:
        """A case of the plan, against the runs that call nothing but its skills, as often as it does."""
        from aos.engine.scores import heldout

        wanted = {step.skill for step in plan.steps}
        needed = {step.skill for step in plan.steps if step.on_error.action != "continue"}

        def among(skills: set[str], called: heldout.Called) -> bool:
            return called[0] in skills or self._id(called) in skills

        often = [heldout.Often(partial(among, {name}), *calls_of(plan, name)) for name in sorted(wanted)]
        past, future = (
            heldout.whole_runs(
                part,
                self._by,
                belongs=partial(among, wanted),
                may_fail=lambda called: not among(needed, called),
                often=often,
            )
            for part in (self._parts.past, self._parts.future)
        )
        others = self._parts.future_runs - len(future.run)
        if others:
            self._leave_out("other runs", "they call skills that the plan does not, or not as often", others)
        if len(past.run) and len(future.run):
            self._add_runs(plan.name or "the plan", plan, past, future, self._handed(plan, future))
        else:
            self._leave_out("the plan", "no run of it on one side of the split", 0)

    def scored(self, thresholds: Thresholds) -> Backtest:
        """The scores of all cases. Raises AosError(usage) where there are none."""
        if not self._cases:
            raise AosError(
                "usage",
                "nothing that was recorded after the split was recorded before it",
                fix="Choose another --split, fewer --by, or for --as-is a --catalog that has these skills.",
            )
        from aos.engine.scores import backtest as scores

        kinds = dict.fromkeys(case.kind for case in self._cases)
        pooled = tuple(scores.pool([case for case in self._cases if case.kind == kind]) for kind in kinds)
        return Backtest(
            split_ms=self._parts.at_ms,
            past_runs=self._parts.past_runs,
            future_runs=self._parts.future_runs,
            pooled=pooled,
            cases=tuple(map(scores.score, self._cases)),
            left_out=tuple(self._left_out),
            gates=tuple(gate for part in pooled for gate in _gates(part, thresholds)),
        )

    def _add_skill(self, name: str, past: "scores.Seen", future: "scores.Seen", sizes: "Sizes") -> None:
        """A case of single attempts, in groups of about the same size where that tells something."""
        from aos.engine.scores.backtest import Case, Part
        from aos.engine.scores.by_size import growing
        from aos.engine.scores.sizes import alike

        skill, parts = self.catalog.skills[name], []
        for growth, quantity in ((skill.latency_by, "time"), (skill.cost_by, "cost")):
            groups = alike(growth, sizes.features, sizes.x, self._sizes) if growth and sizes.features else []
            parts.append(
                tuple(
                    Part(rows, getattr(self._drawn(_once(name, stated)), quantity), scale)
                    for rows, stated, scale in groups
                )
            )
        time, cost = parts
        known = tuple(one for one in sizes.known() if one in growing(skill))
        self._cases.append(Case("skill", name, past, future, self._drawn(_once(name)), time, cost, known))

    def _add_runs(
        self, name: str, plan: Plan, past: "scores.Seen", future: "scores.Seen", sizes: "Sizes"
    ) -> None:
        """A case of whole runs, each by its sizes where they tell something."""
        from aos.engine.scores.backtest import Case
        from aos.engine.scores.by_size import bearing, sized_case

        found = Case("plan", name, past, future, self._drawn(plan))
        sizes = bearing(plan, self.catalog, sizes)
        if sizes.known():
            samples = _SAMPLES_BY_SIZE * len(future.run) // self._parts.future_runs
            found = sized_case(
                found, plan, self.catalog, self._compiled, sizes, samples=samples, seed=self._seed
            )
        self._cases.append(found)

    def _told(self, x: "Floats") -> "Sizes":
        """What is known before; the last axis of `x` is by the features of the records."""
        from aos.engine.scores.by_size import Sizes

        return Sizes(tuple(self._parts.future.features), x).only(self._known)

    def _handed(self, plan: Plan, runs: "scores.Seen") -> "Sizes":
        """What runs handed to the steps of a plan, of the sizes that it states."""
        from aos.engine.scores import heldout
        from aos.engine.scores.by_size import handed

        def calls(step: Step) -> "Callable[[heldout.Called], bool]":
            return lambda called: step.skill in (called[0], self._id(called))

        steps = [(step.id, calls(step)) for step in plan.steps]
        x = heldout.sizes_of_steps(self._parts.future, self._by, runs, steps)
        return handed(plan, self.catalog, self._told(x))

    def _drawn(self, plan: Plan) -> "scores.Draws":
        from aos.engine.scores import backtest as scores

        return scores.draws(self._compiled(plan), self._samples, self._seed)

    def _compiled(self, plan: Plan) -> "Program":
        from aos.engine.execution.program import compile_plan

        catalog = self.catalog if len(plan.steps) > 1 else _beginning(self.catalog)
        return compile_plan(plan, catalog, case(plan, catalog, Limits()).prices)

    def _id(self, called: "heldout.Called") -> str | None:
        try:
            name = self._learned.variant(*called)
        except KeyError:
            return None
        known = (one for one in (name, called[0]) if one in self.catalog.skills)
        return next(known, None)

    def _leave_out(self, what: str, why: str, n: int) -> None:
        self._left_out.append(LeftOut(what, why, n))


def _beginning(catalog: Catalog) -> Catalog:
    """The same, but nothing passes before a step starts: what is recorded of one begins when it does."""
    skills = {name: skill._replace(overhead=None) for name, skill in catalog.skills.items()}
    return catalog._replace(skills=skills, overhead=None)


def _once(skill: str, params: Mapping[str, float] | None = None) -> Plan:
    """A single attempt."""
    return Plan((Step("s1", skill, dict(params or {}), retry=_TRIED_ONCE),))


def _plan(skills: Sequence[str], after: Sequence[Sequence[int]], goes_on: Sequence[bool]) -> Plan:
    """The plan of a shape. Where runs went on after a failed step, so does the plan."""
    return Plan(
        tuple(
            Step(
                f"s{i + 1}",
                skill,
                {},
                needs=tuple(f"s{j + 1}" for j in before),
                on_error=OnError("continue" if on else "fail"),
            )
            for i, (skill, before, on) in enumerate(zip(skills, after, goes_on, strict=True))
        )
    )


def _gates(part: Pooled, thresholds: Thresholds) -> list[Gate]:
    found = []
    for what, quantity in (("time", part.time), ("cost", part.cost)):
        least, most = thresholds
        if quantity and least is not None:
            value, se = quantity.in90
            found.append(Gate(f"{what} coverage of {part.kind}s", value, se, least, value >= least))
        if quantity and quantity.ratio and most is not None:
            value, se = quantity.ratio
            found.append(Gate(f"{what} CRPS ratio of {part.kind}s", value, se, most, value <= most))
    return found


def _spelled(called: "heldout.Called") -> str:
    skill, values = called
    return f"{skill}@{':'.join(values)}" if values else skill


def _title(skills: list[str], after: tuple[tuple[int, ...], ...]) -> str:
    """`a > b > c` for a chain; for other shapes the skills and how many steps there are."""
    if all(before == ((i - 1,) if i else ()) for i, before in enumerate(after)):
        counted = list[tuple[str, int]]()
        for skill in skills:
            if counted and counted[-1][0] == skill:
                counted[-1] = (skill, counted[-1][1] + 1)
            else:
                counted.append((skill, 1))
        return " > ".join(f"{skill} x{n}" if n > 1 else skill for skill, n in counted)
    distinct = dict.fromkeys(skills)
    return f"{len(skills)} steps: " + ", ".join(f"{s} x{skills.count(s)}" for s in distinct)


def calls_of(plan: Plan, skill: str) -> tuple[int, int]:
    """How often a run of the plan that does not fail calls the skill: at least, and at most."""
    stand_ins = {step.on_error.fallback for step in plan.steps}
    least = most = 0
    for step in plan.steps:
        if step.skill == skill:
            known = len(step.for_each) if isinstance(step.for_each, tuple) else None
            items = 1 if step.for_each is None else known
            certain = step.when is None and step.id not in stand_ins
            least += step.iterations * (items or 0) if certain else 0
            most += step.iterations * (MAX_ITEMS if items is None else items)
    return least, most
