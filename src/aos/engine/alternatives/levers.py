"""Levers: the edits worth trying on a plan, each lever's from the weakest to the strongest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from aos.domain.forecasts.alternatives import Kind
from aos.domain.plans.plan import Expect, OnError, Plan, Step, order
from aos.domain.plans.references import given
from aos.domain.plans.retries import effective_retry
from aos.domain.plans.sizes import MAX_ITEMS
from aos.domain.skills.distributions import upper_bound
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog, TokenCost
from aos.engine.alternatives.arrangement import Arrangement, detachments
from aos.engine.alternatives.edits import Edit
from aos.engine.attribution import Contributions
from aos.engine.execution.program import Program
from aos.engine.simulate import Samples

Help = Literal["cost", "time", "success"]

_COST: frozenset[Help] = frozenset({"cost"})
_ANYTHING: frozenset[Help] = frozenset({"cost", "time", "success"})
_SELDOM = 0.001
_GAIN = 0.01
_MODELLED_STEPS, _NAMED_STEPS = 4, 4
_TOKENS = (8192, 4096, 2048, 1024, 512, 256, 128, 64)


class Lever(NamedTuple):
    """Edits of one kind, the weakest first, and which chances they can help."""

    helps: frozenset[Help]
    edits: tuple[Edit, ...]

    @property
    def strongest(self) -> Edit:
        return self.edits[-1]


class Workshop(NamedTuple):
    """What levers are made of. `models` are prices of models that may be named in place of another."""

    plan: Plan
    catalog: Catalog
    prices: Mapping[str, ModelPrice]
    models: Mapping[str, ModelPrice]
    program: Program
    chunk: Samples
    parts: Contributions


def levers(shop: Workshop) -> Iterator[Lever]:
    """All levers of the plan, those that keep its meaning first."""
    arrangement = Arrangement(shop.plan, shop.catalog, shop.program.order)
    yield from _models(shop)
    yield _retries(shop)
    yield _timeouts(shop)
    for i, step in enumerate(shop.plan.steps):
        yield from _items(shop, i, step)
    yield from _in_parallel(shop, arrangement)
    for i, step in enumerate(shop.plan.steps):
        yield from _tokens(shop, i, step)
        yield from _iterations(i, step)
        yield from _drop(shop, arrangement, i, step)
        yield from _go_on(shop, arrangement, i, step)


# -- edits that keep the meaning ---------------------------------------------------------------------------


def _models(shop: Workshop) -> Iterator[Lever]:
    """Cheaper models: in one of the dearest steps, the cheapest in ever more of them, and any in all.

    A step whose price nobody knows counts as dearest.
    """
    skills = [shop.catalog.skills[step.skill] for step in shop.plan.steps]
    asking = [i for i, skill in enumerate(skills) if isinstance(skill.cost, TokenCost)]
    asking.sort(key=lambda i: (shop.program.calls[i].price is not None, -shop.parts.cost[i].mean()))
    ranked = sorted(shop.models, key=lambda name: -_blend(shop.models[name]))
    choices = [[([i], name) for name in ranked] for i in asking[:_MODELLED_STEPS]]
    choices.append([(asking[:count], ranked[-1]) for count in range(2, len(asking)) if ranked])
    choices.append([(asking, name) for name in ranked if len(asking) > 1])
    for choice in choices:
        edits = (_other_model(shop, steps, name) for steps, name in choice)
        yield Lever(_COST, tuple(edit for edit in edits if edit.changes))


def _other_model(shop: Workshop, steps: Sequence[int], name: str) -> Edit:
    """The model in those of the steps where it is cheaper, or where nobody knows what their own costs."""
    price = shop.models[name]
    changed: dict[int, Step] = {}
    replaced, keeps = set(), 1.0
    for i in steps:
        step = shop.plan.steps[i]
        model = given(step.params.get("model"), shop.plan.inputs)
        own = shop.prices.get(model) if isinstance(model, str) else None
        if own is None or _blend(price) < _blend(own):
            changed[i] = step._replace(params={**step.params, "model": name})
            replaced.add(model if isinstance(model, str) else "no model named")
            keeps = min(keeps, _least_ratio(price, own) if own else 0.0)
    return Edit(
        kind="change_model",
        summary=f"{named(changed.values())}: {name} instead of {' and '.join(sorted(replaced))}",
        changes=_by_id(changed.values()),
        size=len(changed) + 1 - keeps,
        steps=tuple(changed),
        keeps=keeps,
        assumes=f"{name} answers well enough, and as fast",
    )


def _blend(price: ModelPrice) -> float:
    """Cents per million tokens of which three in four are read and one is written: good enough to sort by."""
    read, written = price.rates(0)
    return float(3 * read + written) / 4


def _least_ratio(price: ModelPrice, own: ModelPrice) -> float:
    """What is left of a price at the least, whatever part of it is for reading."""
    return min(
        float(new / old) if old else 1.0 for new, old in zip(price.rates(0), own.rates(0), strict=True)
    )


def _retries(shop: Workshop) -> Lever:
    """The catalog's retry policy where the plan tightened it: first in the step that fails most, then in more."""
    tightened = [
        i
        for i, step in enumerate(shop.plan.steps)
        if effective_retry(step, shop.catalog.skills[step.skill]) != shop.catalog.skills[step.skill].retry
    ]
    tightened.sort(key=lambda i: -shop.parts.breaks[i].mean())
    relaxed = {i: shop.plan.steps[i]._replace(retry=None) for i in tightened}
    edits = _ever_more("relax_retry", relaxed, "retry as the catalog does")
    return Lever(frozenset({"success"}), edits)


def _timeouts(shop: Workshop) -> Lever:
    """Timeouts that cut off good attempts moved to where they spare all but one in a thousand."""
    longer: dict[int, tuple[float, Step]] = {}
    for i, (step, call) in enumerate(zip(shop.plan.steps, shop.program.calls, strict=True)):
        if step.timeout_s is None or not call.attempts.latency_known:
            continue
        cut_off = float((call.attempts.clean > call.attempts.timeout_ms).mean())
        enough = float(np.quantile(call.attempts.clean, 1 - _SELDOM, method="higher")) / 1000
        if cut_off > _SELDOM:
            longer[i] = cut_off, step._replace(timeout_s=round_up(enough))
    most_first = sorted(longer, key=lambda i: -longer[i][0])
    return Lever(
        _ANYTHING,
        _ever_more("raise_timeout", {i: longer[i][1] for i in most_first}, "time out only when hanging"),
    )


def _ever_more(kind: Kind, changed: Mapping[int, Step], what: str) -> tuple[Edit, ...]:
    """One edit for the first of the changed steps, one for the first two, and so on."""
    steps = list(changed)
    return tuple(
        Edit(
            kind=kind,
            summary=f"{named(changed[i] for i in steps[:count])}: {what}",
            changes=_by_id(changed[i] for i in steps[:count]),
            size=float(count),
            steps=tuple(steps[:count]),
            keeps=0.0,
        )
        for count in range(1, len(steps) + 1)
    )


def named(steps: Iterable[Step]) -> str:
    """The ids of the steps, or how many there are."""
    return _listed([step.id for step in steps])


def _listed(ids: Sequence[str]) -> str:
    return " and ".join(ids) if len(ids) <= _NAMED_STEPS else f"{len(ids)} steps"


def _by_id(steps: Iterable[Step]) -> dict[str, Step | None]:
    return {step.id: step for step in steps}


def _items(shop: Workshop, i: int, step: Step) -> Iterator[Lever]:
    """A number of items to expect where nobody knows it, from the most there may be."""
    if shop.program.calls[i].items.known:
        return
    edits = tuple(
        Edit(
            kind="expect_items",
            summary=f"{step.id}: expect at most {_items_of(n)}",
            changes={step.id: step._replace(expect=Expect(n, n))},
            size=1 - n / (MAX_ITEMS + 1),
            steps=(i,),
            assumes=f"{step.for_each} never has more than {_items_of(n)}",
        )
        for n in range(MAX_ITEMS, 0, -1)
    )
    yield Lever(_ANYTHING, edits)


def _items_of(n: int) -> str:
    return "1 item" if n == 1 else f"{n} items"


def round_up(value: float) -> float:
    """To two significant digits."""
    step = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(f"{np.ceil(value / step) * step:.2g}")


# -- edits that change the meaning -------------------------------------------------------------------------


def _in_parallel(shop: Workshop, arrangement: Arrangement) -> Iterator[Lever]:
    """Steps that merely stand after another one beside it, where that shortens the typical run."""
    means = [float((step.end - step.start).mean()) for step in shop.chunk.steps or ()]
    now = arrangement.longest(means)
    steps = shop.plan.steps
    for rearranged, detached in detachments(shop.plan, shop.catalog, shop.program.order):
        saved = now - rearranged.longest(means)
        if saved <= _GAIN * now:
            continue
        names = named(steps[i] for i in sorted(detached))
        others = named(steps[i] for i in sorted({*detached.values()}))
        changes = rearranged.changes()
        on_path = float(shop.parts.time[list(detached)].mean(axis=1).sum())
        edit = Edit(
            kind="run_in_parallel",
            summary=f"run {names} beside {others}",
            changes=changes,
            size=float(len(changes)),
            steps=tuple(detached),
            keeps=max(0.0, 1 - saved / on_path) if on_path else 1.0,
            assumes=f"{names} may run before {others}, and when {others} failed",
            changes_meaning=True,
        )
        yield Lever(frozenset({"time"}), (edit,))


def _tokens(shop: Workshop, i: int, step: Step) -> Iterator[Lever]:
    """Shorter answers of a priced model."""
    skill, price = shop.catalog.skills[step.skill], shop.program.calls[i].price
    if not isinstance(skill.cost, TokenCost) or price is None or "model" not in step.params:
        return
    if "max_tokens" not in skill.input_schema.get("properties", {}):
        return
    longest = upper_bound(skill.cost.output_tokens.value)
    now = step.params.get("max_tokens", longest)
    edits = []
    for limit in _TOKENS:
        if not isinstance(now, int | float) or limit < now:
            edits.append(
                Edit(
                    kind="limit_tokens",
                    summary=f"{step.id}: answers of at most {limit} tokens",
                    changes={step.id: step._replace(params={**step.params, "max_tokens": limit})},
                    size=1 + 64 / limit,
                    steps=(i,),
                    keeps=0.0,
                    assumes=f"{limit} tokens are enough: longer answers are cut off",
                    changes_meaning=True,
                )
            )
    yield Lever(_COST, tuple(edits))


def _iterations(i: int, step: Step) -> Iterator[Lever]:
    edits = tuple(
        Edit(
            kind="fewer_iterations",
            summary=f"{step.id}: {n} instead of {step.iterations} iterations",
            changes={step.id: step._replace(iterations=n)},
            size=2 - n / step.iterations,
            steps=(i,),
            keeps=n / step.iterations,
            assumes=f"{n} are enough",
            changes_meaning=True,
        )
        for n in range(step.iterations - 1, 0, -1)
    )
    yield Lever(_ANYTHING, edits)


def _drop(shop: Workshop, arrangement: Arrangement, i: int, step: Step) -> Iterator[Lever]:
    changes = arrangement.without(i) if len(shop.plan.steps) > 1 else None
    if changes:
        yield Lever(_ANYTHING, (_without([i], [step.id], changes),))


def dropped(plan: Plan, catalog: Catalog, steps: Iterable[int]) -> Edit | None:
    """The plan without these steps; None where one of them would be missed, or none would be left."""
    left, changes = plan.steps, dict[str, Step | None]()
    places = sorted(steps)
    for i in reversed(places):
        found = Arrangement(plan._replace(steps=left), catalog, order(left)).without(i)
        if found is None or len(left) == 1:
            return None
        changes |= found
        changed = (found.get(step.id, step) for step in left)
        left = tuple(step for step in changed if step is not None)
    return _without(places, [plan.steps[i].id for i in places], changes)


def _without(places: Sequence[int], ids: Sequence[str], changes: Mapping[str, Step | None]) -> Edit:
    names = _listed(ids)
    return Edit(
        kind="drop_step",
        summary=f"drop {names}",
        changes=changes,
        size=2.0 * len(ids),
        steps=tuple(places),
        keeps=0.0,
        assumes=f"nobody misses {names}: no step uses {'it' if len(ids) == 1 else 'them'}",
        changes_meaning=True,
    )


def _go_on(shop: Workshop, arrangement: Arrangement, i: int, step: Step) -> Iterator[Lever]:
    """Going on where a step fails that nobody uses."""
    plain = step.on_error.action == "fail" and i not in shop.program.order.fallback_of
    if plain and not arrangement.is_used(i) and shop.parts.breaks[i].any():
        edit = Edit(
            kind="continue_on_error",
            summary=f"go on when {step.id} fails",
            changes={step.id: step._replace(on_error=OnError("continue"))},
            size=3.0,
            steps=(i,),
            assumes=f"a run in which {step.id} failed is still a success",
            changes_meaning=True,
        )
        yield Lever(frozenset({"success"}), (edit,))
