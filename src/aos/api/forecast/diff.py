"""Compare two plans: what changes from A to B, and which of it is more than noise."""

from collections.abc import Callable, Iterator, Sequence

from aos.api.forecast.cases import Case, check_samples
from aos.domain.forecasts.differences import (
    ApprovalDifference,
    Change,
    Comparison,
    StepDifference,
    StepFigures,
)
from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES
from aos.domain.plans.matching import Matches, matches, under_the_names_of
from aos.domain.plans.plan import Step
from aos.wire.plans.changes import plan_changes, skill_changes, step_changes

_Places = tuple[int | None, int | None]


def diff(
    a: Case,
    b: Case,
    *,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Simulate two cases (see `aos.api.forecast.cases.case`) with the same luck and compare them.

    What `simulate` says of A with this seed and these samples is said of it here; B draws what both have as A
    does. A plan compared with itself, whatever its steps are called, differs by exactly 0. Raises
    AosError(usage) for samples out of range.
    """
    check_samples(samples)
    from aos.engine.compare import Side, compare, shared_streams
    from aos.engine.execution.program import compile_plan

    same = matches(a.plan, b.plan)
    streams = shared_streams(a.plan, b.plan, same)
    places = list(_places(len(a.plan.steps), len(b.plan.steps), same))
    compared = compare(
        Side(compile_plan(a.plan, a.catalog, a.prices), a.limits, a.refused),
        Side(compile_plan(b.plan, b.catalog, b.prices, streams), b.limits, b.refused),
        places,
        samples=samples,
        seed=seed,
        progress=progress,
    )
    changed = dict(_changes(a, b, same))
    steps = [(_step(a, i), _step(b, j)) for i, j in places]
    return Comparison(
        a=a.result(*compared.a, samples=samples, seed=seed),
        b=b.result(*compared.b, samples=samples, seed=seed),
        figures=compared.plan,
        changes=plan_changes(a.plan, b.plan),
        steps=tuple(
            _difference(*pair, changed.get(place, ()), figures)
            for pair, place, figures in zip(steps, places, compared.steps, strict=True)
        ),
        approvals=tuple(_approvals(steps)),
    )


def _places(of_a: int, of_b: int, same: Matches) -> Iterator[_Places]:
    """The steps of B in their order, and before each those that A alone has and had before it."""
    lost = [i for i in range(of_a) if i not in set(same.values())]
    for j in range(of_b):
        while lost and j in same and lost[0] < same[j]:
            yield lost.pop(0), None
        yield same.get(j), j
    yield from ((i, None) for i in lost)


def _step(case: Case, place: int | None) -> Step | None:
    return None if place is None else case.plan.steps[place]


def _changes(a: Case, b: Case, same: Matches) -> Iterator[tuple[_Places, tuple[Change, ...]]]:
    """Of the steps that both have: what they say, and what the catalogs say of a skill that both call."""
    for i, j, own in step_changes(a.plan.steps, under_the_names_of(a.plan, b.plan, same)):
        skill = a.plan.steps[i].skill
        shared = skill == b.plan.steps[j].skill
        told = skill_changes(a.catalog.skills[skill], b.catalog.skills[skill]) if shared else ()
        yield (i, j), (*own, *told)


def _difference(
    old: Step | None, new: Step | None, changes: tuple[Change, ...], figures: StepFigures
) -> StepDifference:
    step = new or old
    assert step
    return StepDifference(old and old.id, new and new.id, step.skill, changes, figures)


def _approvals(steps: Sequence[tuple[Step | None, Step | None]]) -> Iterator[ApprovalDifference]:
    for old, new in steps:
        before, after = old and old.approval, new and new.approval
        step = new or old
        if step and before != after:
            yield ApprovalDifference(step.id, before, after)
