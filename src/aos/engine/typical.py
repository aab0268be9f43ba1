"""The typical run: every step takes its typical time at its typical price, and nothing fails."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from aos.domain.plans.flow import Flow
from aos.engine.execution.network import Network, can_queue
from aos.engine.execution.program import Call, Program
from aos.engine.sampling.draws import Draw, Node
from aos.engine.sampling.prices import MICRO

Times = list[float | None]


class TypicalRun(NamedTuple):
    """Totals, and per step index its start, duration and price; None where unknown or where it does not run.

    `ms` is the length of the critical path, with its waits for slots and rate limits. A figure that is unknown leaves
    the totals unknown.
    """

    ms: float | None
    cents: float | None
    start_ms: tuple[float | None, ...]
    step_ms: tuple[float | None, ...]
    step_cents: tuple[float | None, ...]


def typical_run(program: Program) -> TypicalRun:
    """One pass in order: no failures, so fallbacks and steps that watch for a failure don't run."""
    count = len(program.calls)
    flow, ends = Flow([call.step for call in program.calls], program.order, True), [0.0] * count
    start: Times = [None] * count
    took: Times = [None] * count
    cents: list[float | None] = [None] * count
    for i in program.order.sequence:
        call = program.calls[i]
        begin = max((ends[before] for before in program.order.waits_for[i]), default=0.0)
        ends[i] = begin
        if flow.decide(i):
            start[i], took[i], cents[i] = begin, _duration(call), _price(call)
            ends[i] = begin + (took[i] or 0.0)
        flow.end(i, True)
    known_time = all(took[i] is not None for i in range(count) if flow.ran[i])
    known_cost = all(cents[i] is not None for i in range(count) if flow.ran[i])
    if known_time and can_queue(program):
        start, took, ends = _queued(program, flow.ran)
    return TypicalRun(
        ms=max(ends, default=0.0) if known_time else None,
        cents=sum(round(c * MICRO) for c in cents if c is not None) / MICRO if known_cost else None,
        start_ms=tuple(start),
        step_ms=tuple(took),
        step_cents=tuple(cents),
    )


def _queued(program: Program, ran: Mapping[int, bool]) -> tuple[Times, Times, list[float]]:
    """Start, duration and end of each step where calls wait for slots and permits, as they do in every sample."""
    network = Network(program, [_nodes(call, ran[i]) for i, call in enumerate(program.calls)], {})
    queued = network.run(1, [None] * len(ran))
    begun, ended = [float(s[0]) for s in queued.starts], [float(e[0]) for e in queued.ends]
    start = [at if ran[i] else None for i, at in enumerate(begun)]
    took = [ended[i] - at if ran[i] else None for i, at in enumerate(begun)]
    return start, took, ended


def _nodes(call: Call, ran: bool) -> tuple[tuple[Node, ...], ...]:
    """A chain of calls for each item, each of them the one attempt that it typically takes."""
    nobody, none = np.empty(0, np.intp), np.empty(0, np.uint8)
    draw = Draw(np.array([call.typical_ms or 0.0]), nobody, none, None, (), ())
    node = Node(draw, np.ones(1, bool), np.array([call.typical_overhead]))
    return ((node,) * call.step.iterations,) * (call.items.typical if ran else 0)


def _duration(call: Call) -> float | None:
    if call.typical_ms is None or not call.items.known:
        return None
    return (call.typical_ms + call.typical_overhead) * call.step.iterations if call.items.typical else 0.0


def _price(call: Call) -> float | None:
    if call.price is None or not call.items.known:
        return None
    per_attempt = call.price.typical_cents + call.price.per_ms * (call.typical_ms or 0.0)
    return per_attempt * call.items.typical * call.step.iterations
