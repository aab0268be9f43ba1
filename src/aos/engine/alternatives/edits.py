"""An edit: a small change of a plan as a value, which can be applied to it and written as a JSON Patch."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from aos.domain.forecasts.alternatives import Agreement, Kind, Operation
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan, Step

_PLAIN = Step(id="", skill="", params={})
_REORDERING: set[Kind] = {"run_in_parallel", "drop_step"}


class Edit(NamedTuple):
    """`changes` gives steps by id their new form, None drops them; limits that are not None replace the old.

    `keeps` and `at_most_ms` are guesses that save simulations: the share that will remain of what the `steps` (indices)
    cost or take, and how much of the time of each at the most. The rest is as in `Alternative`.
    """

    kind: Kind
    summary: str
    changes: Mapping[str, Step | None]
    size: float
    steps: tuple[int, ...] = ()
    keeps: float = 1.0
    at_most_ms: tuple[float, ...] = ()
    assumes: str = ""
    changes_meaning: bool = False
    budget_cents: Decimal | None = None
    deadline_ms: float | None = None
    min_success: float | None = None
    agreed: tuple[Agreement, ...] = ()


def applied(plan: Plan, edit: Edit) -> Plan:
    """The plan with the edit."""
    changed = (edit.changes.get(step.id, step) for step in plan.steps)
    return plan._replace(
        steps=tuple(step for step in changed if step is not None),
        budget_cents=plan.budget_cents if edit.budget_cents is None else edit.budget_cents,
        deadline_ms=plan.deadline_ms if edit.deadline_ms is None else edit.deadline_ms,
    )


def limited(limits: Limits, edit: Edit) -> Limits:
    """The limits with the edit."""
    return limits._replace(
        budget_cents=limits.budget_cents if edit.budget_cents is None else edit.budget_cents,
        deadline_ms=limits.deadline_ms if edit.deadline_ms is None else edit.deadline_ms,
        min_success=limits.min_success if edit.min_success is None else edit.min_success,
    )


def both(first: Edit, second: Edit) -> Edit | None:
    """Two edits as one; None where they touch one step or setting, or both the order: they were thought of apart."""
    if first.changes.keys() & second.changes.keys() or {first.kind, second.kind} <= _REORDERING:
        return None
    if {(one.setting, one.name) for one in first.agreed} & {(one.setting, one.name) for one in second.agreed}:
        return None
    return Edit(
        kind="two_changes" if first.min_success is None else first.kind,
        summary=f"{first.summary}; and {second.summary}",
        changes={**first.changes, **second.changes},
        size=first.size + second.size,
        assumes="; ".join(filter(None, (first.assumes, second.assumes))),
        changes_meaning=first.changes_meaning or second.changes_meaning,
        budget_cents=first.budget_cents if second.budget_cents is None else second.budget_cents,
        deadline_ms=first.deadline_ms if second.deadline_ms is None else second.deadline_ms,
        min_success=first.min_success,
        agreed=first.agreed + second.agreed,
    )


def patch(plan: Plan, edit: Edit) -> tuple[Operation, ...]:
    """The edit as operations on the plan's normalised document; steps are removed last, so that places hold."""
    operations = list(_of_members("", _limits(plan), _limits(applied(plan, edit))))
    removals: list[Operation] = []
    for i, step in enumerate(plan.steps):
        changed = edit.changes.get(step.id, step)
        if changed is None:
            removals.insert(0, Operation("remove", f"/steps/{i}"))
        else:
            operations += _of_members(f"/steps/{i}/params", step.params, changed.params)
            operations += _of_members(f"/steps/{i}", _stated(step), _stated(changed))
    return (*operations, *removals)


def flags(edit: Edit) -> tuple[str, ...]:
    """The options of `aos simulate` that set the edit's limits."""
    budget = () if edit.budget_cents is None else ("--budget", f"{edit.budget_cents:f}")
    deadline = () if edit.deadline_ms is None else ("--deadline", f"{edit.deadline_ms:.15g}")
    success = () if edit.min_success is None else ("--min-success", f"{edit.min_success:g}")
    return budget + deadline + success


def _of_members(at: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Operation]:
    for key in old.keys() - new.keys():
        yield Operation("remove", f"{at}/{_escaped(key)}")
    for key, value in new.items():
        if key not in old:
            yield Operation("add", f"{at}/{_escaped(key)}", value)
        elif old[key] != value:
            yield Operation("replace", f"{at}/{_escaped(key)}", value)


def _limits(plan: Plan) -> dict[str, Any]:
    """What the document says of the plan's limits."""
    written = {"budget": plan.budget_cents, "deadline_ms": plan.deadline_ms}
    return {key: _number(value) for key, value in written.items() if value is not None}


def _number(value: Decimal | float) -> int | float:
    return int(value) if value == int(value) else float(value)


def _stated(step: Step) -> dict[str, Any]:
    """What the document says of a step besides its parameters, as far as an edit can change it."""
    retry = step.retry and {key: value for key, value in step.retry._asdict().items() if value is not None}
    written = {
        "needs": None if step.needs is None else list(step.needs),
        "on_error": step.on_error.action,
        "retry": retry,
        "timeout_s": step.timeout_s,
        "iterations": step.iterations,
        "expect": step.expect and {"items": step.expect.p50},
    }
    return {key: value for key, value in written.items() if getattr(step, key) != getattr(_PLAIN, key)}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
