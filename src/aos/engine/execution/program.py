"""A plan compiled against a catalog: who waits for whom, and for every step the tables to draw from."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.forecasts.forecast import Unknown
from aos.domain.kept import kept
from aos.domain.plans.nulls import Read, reads
from aos.domain.plans.plan import Order, Plan, Step, order
from aos.domain.plans.references import Reference, given, parse
from aos.domain.plans.retries import effective_retry, tries_again
from aos.domain.plans.sizes import MAX_ITEMS
from aos.domain.plans.stated import Stated, stated
from aos.domain.skills.distributions import Constant, Distribution, Lognormal, median
from aos.domain.skills.failures import FAILURES
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog, Effects, FailureMode, FanOut, Figure, RetryPolicy, Skill
from aos.engine.sampling.attempts import Attempts, attempts_table, retried
from aos.engine.sampling.blocks import Loans, Rows, matching_loans, matching_rows
from aos.engine.sampling.distributions import SIZE, Floats, quantile_table
from aos.engine.sampling.fanout import Late, late
from aos.engine.sampling.growth import Handed, handed, rest_alone, sized
from aos.engine.sampling.moods import Dependence, dependence
from aos.engine.sampling.prices import Price, price

_NORMAL_P90 = 1.2815515655446004


class Items(NamedTuple):
    """How many items a step goes over: `most` at the most; `table` where the number is uncertain.

    Where nobody knows the number it is 0, the least there can be, and the step's figures are unknown.
    """

    most: int
    typical: int
    table: Floats | None = None
    known: bool = True


class Unfit(NamedTuple):
    """How a call ends that can't be made, since what it `reads` is null: which of its modes that is, after how many
    attempts, each of no length, and the pauses between them."""

    reads: tuple[Read, ...]
    mode: int
    attempts: int
    pauses: tuple[float, ...]


class Call(NamedTuple):
    """A step ready to be drawn, without its parameters: all that they say of it stands here. `stream` keys its
    randomness; `group`, the stream of the first of them, that of its parallel siblings. `handed` are the sizes that its
    tables are for, as far as the plan states any, and `sized` says that these are all that its time grows with.
    """

    step: Step
    stream: int
    group: int
    attempts: Attempts
    retry: RetryPolicy
    effects: Effects
    retried: NDArray[np.bool_]
    retries_all: bool
    price: Price | None
    items: Items
    overhead: Floats | None
    typical_overhead: float
    typical_ms: float | None
    wait: Floats | None
    pool: int
    limiter: int
    sibling: int = 0
    late: Late | None = None
    handed: Handed | None = None
    sized: bool = False
    unfit: Unfit | None = None

    @property
    def cost_known(self) -> bool:
        return self.price is not None and self.items.known

    @property
    def time_known(self) -> bool:
        return self.attempts.latency_known and self.items.known

    @property
    def failures_known(self) -> bool:
        return self.attempts.failures_known and self.items.known


class Program(NamedTuple):
    """Calls by step index, their order, and the shared resources: slots per pool, (interval ms, burst) per limiter, and
    by the same index the pools' names and the skills that are limited.

    Where there are `rows`, recorded runs of this shape, or `loans` of runs like it, steps are drawn from those and
    not from their calls.
    """

    calls: tuple[Call, ...]
    order: Order
    shared: Dependence
    pools: tuple[int, ...]
    limiters: tuple[tuple[float, int], ...]
    pool_names: tuple[str, ...]
    limited: tuple[str, ...]
    run_factor: Floats | None
    rows: Rows | None
    loans: Loans | None
    waits_unknown: bool
    unknowns: tuple[Unknown, ...]


def compile_plan(
    plan: Plan, catalog: Catalog, prices: Mapping[str, ModelPrice], streams: Mapping[str, int] | None = None
) -> Program:
    """Resolve every step's figures. Skills must exist in the catalog.

    `prices` are those of the models the plan names. `streams` gives steps (by id) a key of their own, so that
    two plans can share their randomness; the default is the step's position.
    """
    dag = order(plan.steps)
    pools = {name: i for i, name in enumerate(catalog.pools)}
    limited = [s.id for s in catalog.skills.values() if s.rate_limit]
    calls = []
    unknowns: list[Unknown] = []
    as_recorded = True
    fan_outs = {
        step.id: step
        for i, step in enumerate(plan.steps)
        if step.for_each is not None
        and step.on_error.action == "fail"
        and step.when is None
        and i not in dag.fallback_of
    }
    groups: dict[tuple[str, tuple[int, ...]], int] = {}
    for i, step in enumerate(plan.steps):
        said = stated(step.params, catalog.skills[step.skill], plan.inputs)
        sizes = handed(catalog.skills[step.skill], said.features, catalog.correlation.sizes)
        known = tuple(sizes.sizes.items()) if sizes else ()
        skill = sized(catalog.skills[step.skill], known)
        stream = (streams or {}).get(step.id, i)
        group = groups.setdefault((step.skill, dag.after[i]), stream)
        items = _items(step, fan_outs, plan.inputs)
        call = _call(step._replace(params={}), stream, group, skill, catalog, items, said, prices)
        as_recorded = as_recorded and skill is catalog.skills[step.skill]
        calls.append(
            call._replace(
                handed=sizes,
                sized=rest_alone(skill, known),
                pool=pools[skill.pool] if skill.pool else -1,
                limiter=limited.index(skill.id) if skill.rate_limit else -1,
            )
        )
        unknowns += _unknowns(i, call, skill, catalog, said.model)
    calls = _with_needs(_with_siblings(calls, catalog), reads(plan.steps, dag, catalog.skills))
    # Runs drawn whole have the sizes of their own day.
    rows = matching_rows(plan, dag, catalog) if as_recorded else None
    limits = (catalog.skills[name].rate_limit for name in limited)
    return Program(
        calls=tuple(calls),
        order=dag,
        shared=dependence(catalog.correlation),
        pools=tuple(catalog.pools.values()),
        limiters=tuple((60_000 / limit.per_minute, limit.burst) for limit in limits if limit),
        pool_names=tuple(pools),
        limited=tuple(limited),
        run_factor=_table(catalog.run_factor),
        rows=rows,
        loans=matching_loans(plan, catalog) if as_recorded and not rows else None,
        waits_unknown=any(unknown.code == "unknown_wait" for unknown in unknowns),
        unknowns=tuple(unknowns),
    )


def _with_siblings(calls: Sequence[Call], catalog: Catalog) -> list[Call]:
    """Number the items of each group, and say how late each starts where its skill's fan-out was recorded."""
    width: dict[int, int] = {}
    numbered = []
    for call in calls:
        numbered.append(call._replace(sibling=width.get(call.group, 0)))
        width[call.group] = numbered[-1].sibling + call.items.most
    return [
        _possibly_late(call, catalog.skills[call.step.skill].fan_out, width[call.group]) for call in numbered
    ]


def _with_needs(calls: Sequence[Call], found: Sequence[Read]) -> list[Call]:
    """What the steps do that can't be called without the output of others."""
    needs: dict[int, list[Read]] = {}
    for read in found:
        if read.needs:
            needs.setdefault(read.reader, []).append(read)
    return [_possibly_unfit(call, needs[i]) if i in needs else call for i, call in enumerate(calls)]


def _possibly_unfit(call: Call, needs: Sequence[Read]) -> Call:
    modes, code = call.attempts.modes, "BAD_PARAMS"
    mode = next((k for k, known in enumerate(modes) if known.code == code), len(modes))
    attempts = call.attempts
    if mode == len(modes):
        new = FailureMode(code, FAILURES[code].category, None)
        attempts = attempts._replace(modes=(*modes, new), spans=(*attempts.spans, (SIZE, 0)))
    again = tries_again(call.retry, attempts.modes[mode].category, FAILURES[code].effect, True)
    tries = call.retry.max_attempts if again else 1
    pauses = tuple(call.retry.backoff(failed) for failed in range(1, tries))
    return call._replace(attempts=attempts, unfit=Unfit(tuple(needs), mode, tries, pauses))


def _possibly_late(call: Call, law: FanOut | None, width: int) -> Call:
    return call._replace(late=late(law, width, call.group)) if law and width > 1 else call


def _call(
    step: Step,
    stream: int,
    group: int,
    skill: Skill,
    catalog: Catalog,
    items: Items,
    said: Stated,
    prices: Mapping[str, ModelPrice],
) -> Call:
    attempts = _attempts(skill, step.timeout_s)
    retry = effective_retry(step, skill)
    overhead = skill.overhead or catalog.overhead
    return Call(
        step=step,
        stream=stream,
        group=group,
        attempts=attempts,
        retry=retry,
        effects=said.effects,
        retried=(again := retried(attempts.modes, retry, said.effects)),
        retries_all=bool(again.all()),
        price=price(skill.cost, said, prices) if skill.cost else None,
        items=items,
        overhead=None if overhead and overhead.value == Constant(0) else _table(overhead),
        typical_overhead=median(overhead.value) if overhead else 0.0,
        typical_ms=min(median(skill.latency.value), attempts.timeout_ms) if skill.latency else None,
        wait=_table(catalog.wait(step.approval)) if step.approval else None,
        pool=-1,
        limiter=-1,
    )


@kept(64)
def _attempts(skill: Skill, timeout_s: float | None) -> Attempts:
    """Kept from plan to plan: most call the same few skills."""
    latency = quantile_table(skill.latency.value) if skill.latency else None
    return attempts_table(latency, skill.failures, None if timeout_s is None else timeout_s * 1000)


def _table(figure: Figure[Distribution] | None) -> Floats | None:
    return quantile_table(figure.value) if figure else None


def _items(step: Step, fan_outs: Mapping[str, Step], inputs: Mapping[str, Any]) -> Items:
    """Known items are counted; expected ones drawn, lognormal through p50 and p90, rounded, at most 50.

    What one of `fan_outs` gives, steps without which nothing goes on, has as many items as it went over.
    """
    if step.for_each is None:
        return Items(1, 1)
    listed = given(step.for_each, inputs)
    if isinstance(listed, list | tuple):
        return Items(len(listed), len(listed))
    if step.expect is None:
        feeder = fan_outs.get(_whole_output(str(step.for_each)))
        items = _items(feeder, fan_outs, inputs) if feeder else None
        # A number that is drawn would have to be the same in both.
        return items if items and items.table is None else Items(0, 0, known=False)
    p50, p90 = step.expect
    if p50 == p90:
        return Items(round(p50), round(p50))
    sigma = float(np.log(p90 / p50)) / _NORMAL_P90
    table = np.clip(np.rint(quantile_table(Lognormal(p50, sigma))), 0, MAX_ITEMS)
    return Items(int(table[-1]), round(p50), table)


def _whole_output(text: str) -> str:
    """The step to whose output, all of it, the text refers; empty where it refers to something else."""
    reference = parse(text)[0]
    if isinstance(reference, Reference) and reference.kind == "steps" and not reference.path:
        return reference.name
    return ""


def _unknowns(i: int, call: Call, skill: Skill, catalog: Catalog, model: str | None) -> list[Unknown]:
    """Every figure of a step that nobody knows, with the place in the plan."""
    step, at = call.step, f"/steps/{i}"
    found = []
    if call.price is None:
        why = (
            f"no price is known for model {model!r}"
            if model and skill.cost
            else f"{skill.id} declares no price"
        )
        found.append(Unknown("unknown_cost", f"{at}/params/model" if model and skill.cost else at, why))
    if skill.latency is None:
        found.append(Unknown("unknown_latency", at, f"{skill.id} declares no latency"))
    if not call.attempts.failures_known:
        found.append(Unknown("unknown_failure", at, f"{skill.id} does not say how often it fails"))
    if not call.items.known:
        found.append(
            Unknown("unknown_items", f"{at}/for_each", f"the number of items of {step.for_each} is unknown")
        )
    if step.approval and catalog.wait(step.approval) is None:
        found.append(
            Unknown("unknown_wait", f"{at}/approval", "nobody has recorded how long people take to decide")
        )
    return found
