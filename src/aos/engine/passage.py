"""Where time goes: what the critical path spends on work, on trying again, on overhead and on waits in queues.

A sample's time is the sum of what the steps on its critical path add (see `aos.engine.attribution`), and what a step
adds is what its last item to end went through: overhead before each call, waits for a slot and for a permit, the
first attempt, further ones with their pauses. So the parts add up to the time, sample by sample.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.forecasts.attribution import Spending, TimePart
from aos.engine.execution.network import Waits
from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.draws import Node
from aos.engine.simulate import StepSamples

_LEAST_MS = 0.01
"""Means below this are the rounding of clocks, and no wait."""


class Resource(NamedTuple):
    """What is waited for: slots of a pool, or permits of a skill's rate limit, by its index in the program."""

    kind: Literal["slots", "rate_limit"]
    number: int


def waited_for(program: Program, steps: tuple[StepSamples, ...], paths: Floats) -> Mapping[Resource, Floats]:
    """Ms that the critical path of each sample waits for each resource; those that nobody waits for are left out.

    `paths`, of shape (steps, samples), is how much of the critical path goes through each step. Who has a slot keeps it
    while it waits for a permit. So of the waits for slots, that part is the rate limit's of the time in which the
    slots were taken that their holders waited for it.
    """
    found: dict[Resource, Floats] = {}

    def add(resource: Resource, waited: Floats) -> None:
        found[resource] = found[resource] + waited if resource in found else waited

    queues: dict[int, list[tuple[int, Floats, Waits]]] = {}
    for call, step, path in zip(program.calls, steps, paths, strict=True):
        if step.waits is None:
            continue
        if call.limiter >= 0:
            add(Resource("rate_limit", call.limiter), path * step.waits.permits)
        if call.pool >= 0:
            queues.setdefault(call.pool, []).append((call.limiter, path, step.waits))
    for pool, members in queues.items():
        taken = np.sum([waits.busy + waits.held for *_, waits in members], axis=0)
        held: dict[int, Floats] = {}
        for limiter, _, waits in members:
            held[limiter] = held.get(limiter, 0.0) + waits.held
        for own, path, waits in members:
            if waits.slots.mean() <= _LEAST_MS:
                continue
            left = path * waits.slots
            # What it waits for itself with its slot in its hands kept nobody from giving it one.
            others = (taken - waits.permits).clip(min=_LEAST_MS)
            for limiter in held.keys() - {-1}:
                through = path * waits.slots * (held[limiter] - waits.permits * (limiter == own)) / others
                add(Resource("rate_limit", limiter), through)
                left = left - through
            add(Resource("slots", pool), left)
    return {resource: waited for resource, waited in found.items() if waited.mean() > _LEAST_MS}


def time_parts(
    program: Program, steps: tuple[StepSamples, ...], paths: Floats, time: Floats
) -> tuple[TimePart, ...]:
    """What the mean of `time`, which the critical paths take, is made of: first `work`, then what else there is."""
    spent: dict[tuple[Spending, str | None], float] = {("retries", None): 0.0, ("overhead", None): 0.0}
    for step, path in zip(steps, paths, strict=True):
        last = _last(step)
        for number, chain in enumerate(step.items):
            share = path if last is None else path * (last == number)
            for node in chain:
                spent["retries", None] += _retries(node, share)
                spent["overhead", None] += (
                    0.0 if node.gap is None else float((share * node.gap * node.ran).sum())
                )
    names = {"slots": program.pool_names, "rate_limit": program.limited}
    for resource, waited in waited_for(program, steps, paths).items():
        spent[resource.kind, names[resource.kind][resource.number]] = float(waited.sum())
    whole = float(time.sum())
    spent = {("work", None): whole - sum(spent.values()), **spent}
    return tuple(
        TimePart(what, name, ms / len(time), ms / whole)
        for (what, name), ms in spent.items()
        if whole and ms / len(time) > _LEAST_MS
    )


def _last(step: StepSamples) -> NDArray[np.intp] | None:
    """Which item of the step ended last in each sample, None where there is but one."""
    if len(step.items) < 2:
        return None
    if step.waits is not None:
        return step.waits.last
    took = np.array([sum(_length(node) for node in chain) for chain in step.items])
    last: NDArray[np.intp] = took.argmax(axis=0)
    return last


def _length(node: Node) -> Floats:
    took = node.draw.time if node.gap is None else node.draw.time + node.gap
    length: Floats = took * node.ran
    return length


def _retries(node: Node, share: Floats) -> float:
    """Ms that the node spends on further attempts, over all samples, as far as they are on the critical path."""
    return sum(
        float((took * share.take(again) * node.ran.take(again)).sum())
        for again, took in zip(node.draw.retries, node.draw.again, strict=True)
    )
