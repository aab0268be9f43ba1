"""Samples of one call: all its attempts with their backoffs, what they cost and how they end.

Tables are read with `take`: three times as fast as brackets where the index is not of the machine's own size.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.engine.execution.program import Call, Unfit
from aos.engine.sampling.attempts import Attempts, mode_of
from aos.engine.sampling.blocks import Loans, Rows, micro
from aos.engine.sampling.distributions import SIZE, Floats, Indices, normal_scores, quantile_table, ranks_of
from aos.engine.sampling.growth import AS_TOLD, Scale
from aos.engine.sampling.moods import Moods
from aos.engine.sampling.prices import MICRO, Money
from aos.engine.sampling.streams import (
    LATENCY,
    OF_SIZE,
    OUTAGE,
    OVERHEAD,
    OWN_MOOD,
    PRICE,
    PURPOSES,
    RETRY,
    RETRY_PRICE,
    Streams,
)

Samples = NDArray[np.intp]
Flags = NDArray[np.bool_]


class Met(NamedTuple):
    """One round of attempts: `samples` failed with `mode`, alike for alike."""

    samples: Samples
    mode: NDArray[np.uint8]


class Draw(NamedTuple):
    """`time` (ms) of all attempts and backoffs; `failed` the samples that end failed, with their last `mode`.

    `cost` in micro-cents is None where the call is free. `rounds` are the failures met, attempt by attempt,
    `retries` the samples that tried again after each, `again` the ms that each of those took, with the pause before it.
    """

    time: Floats
    failed: Samples
    mode: NDArray[np.uint8]
    cost: Money | None
    rounds: tuple[Met, ...]
    retries: tuple[Samples, ...]
    again: tuple[Floats, ...] = ()

    def attempts(self) -> NDArray[np.int64]:
        """How many attempts each sample made."""
        made = np.ones(len(self.time), np.int64)
        for again in self.retries:
            made[again] += 1
        return made


class Node(NamedTuple):
    """One invocation of a step: an item and iteration of it. `ran` says in which samples it happens."""

    draw: Draw
    ran: Flags
    gap: Floats | None


class Shared(NamedTuple):
    """What the calls of a run have in common, one value a sample; None where they have nothing.

    `mood` are normal scores, `share` their weight: a latency's own score is sqrt(share)*mood + sqrt(1-share)*own
    (Gaussian copula), which keeps its distribution as it is. `factor` multiplies every attempt.
    """

    mood: Floats | None = None
    share: float = 0.0
    factor: Floats | None = None


def draw(call: Call, streams: Streams, node: int, count: int, shared: Shared, scale: Scale = AS_TOLD) -> Draw:
    """Sample a call `count` times. `node` numbers the items and iterations of the call."""
    attempts = call.attempts
    key = node * PURPOSES
    index = streams.indices(count, call.stream, key + LATENCY)
    alike = shared.mood is None and shared.factor is None and scale.time is None
    if not attempts.latency_known or alike:
        time = attempts.time.take(index)
        failed = (index >= attempts.first_failure).nonzero()[0]
    else:
        time, failed, index = _with_the_run(call, streams, key, index, shared, scale.time)
    cost = _first_price(call, streams, key, index, time, scale.cost)
    if not failed.size:
        return Draw(time, failed, attempts.mode[:0], cost, (), ())
    mode = mode_of(attempts, index.take(failed))
    if cost is not None:
        cost[failed[~_charged(call)[mode]]] = 0
    first = Draw(time, failed, mode, cost, (Met(failed, mode),), ())
    return _retries(call, streams, key, first, shared.factor, scale)


def refused(drawn: Draw, lost: Flags, unfit: Unfit) -> Draw:
    """The draw with calls that can't be made in the samples that are `lost`: they fail at once, and cost nothing."""
    gone = lost.nonzero()[0]

    def kept(samples: Samples) -> Flags:
        return np.logical_not(lost.take(samples))

    def with_gone(met: Met) -> Met:
        stay = kept(met.samples)
        mode = np.full(gone.size, unfit.mode, np.uint8)
        return Met(np.concatenate([met.samples[stay], gone]), np.concatenate([met.mode[stay], mode]))

    none = Met(gone[:0], drawn.mode[:0])
    rounds = [Met(met.samples[kept(met.samples)], met.mode[kept(met.samples)]) for met in drawn.rounds]
    rounds += [none] * (unfit.attempts - len(rounds))
    retries = [samples[kept(samples)] for samples in drawn.retries]
    again = [ms[kept(samples)] for ms, samples in zip(drawn.again, drawn.retries, strict=True)]
    for k, pause in enumerate(unfit.pauses):
        if k == len(retries):
            retries.append(gone[:0])
            again.append(np.empty(0))
        retries[k] = np.concatenate([retries[k], gone])
        again[k] = np.concatenate([again[k], np.full(gone.size, pause)])
    last = with_gone(Met(drawn.failed, drawn.mode))
    return Draw(
        time=np.where(lost, sum(unfit.pauses), drawn.time),
        failed=last.samples,
        mode=last.mode,
        cost=None if drawn.cost is None else np.where(lost, 0, drawn.cost),
        rounds=tuple(with_gone(met) if k < unfit.attempts else met for k, met in enumerate(rounds)),
        retries=tuple(retries),
        again=tuple(again),
    )


def open_sizes(call: Call, streams: Streams, node: int, count: int, moods: Moods) -> dict[str, Floats]:
    """The sizes that a call leaves open, by feature; calls of a run go together in them as was recorded."""
    drawn = {}
    for size in call.handed.open if call.handed else ():
        mood, share = moods.of(call.group, size.name)
        index = streams.indices(count, moods.number(size.name) * OF_SIZE + call.stream, node)
        if mood is not None:
            index = ranks_of(np.sqrt(share) * mood + np.sqrt(1 - share) * normal_scores().take(index))
        drawn[size.name] = size.table.take(index)
    return drawn


def overhead(call: Call, streams: Streams, node: int, count: int, shared: Shared) -> Floats | None:
    """What passes between the last predecessor's end and the call's start, None where nothing does."""
    if call.overhead is None:
        return None
    gap = call.overhead.take(streams.indices(count, call.stream, node * PURPOSES + OVERHEAD))
    return gap if shared.factor is None else gap * shared.factor


def from_run(rows: Rows, step: int, drawn: NDArray[np.intp], shared: Shared) -> tuple[Draw, Floats]:
    """A step as it was in a past run, each sample's own: its draw, and the gap before it."""
    run, scale = rows.run.take(drawn), rows.time_scale.take(drawn)
    if shared.factor is not None:
        scale = scale * shared.factor
    failed = rows.failed[step].take(run).nonzero()[0]
    cost = None if rows.cost is None else micro(rows.cost[step].take(run) * rows.cost_scale.take(drawn))
    return _as_recorded(rows.time[step].take(run) * scale, failed, cost), rows.gap[step].take(run) * scale


def from_donor(
    loans: Loans, call: Call, streams: Streams, donor: NDArray[np.intp], shared: Shared
) -> tuple[Draw, None]:
    """A call as one that each sample's donor once made; whether it fails is luck of its own."""
    skill = call.step.skill
    records = loans.records(skill, donor, streams.indices(len(donor), call.stream, LATENCY))
    scale = loans.scale.take(donor)
    cost = None if loans.cost is None else micro(loans.cost[skill].take(records) * scale)
    time = loans.time[skill].take(records) * scale
    failed = (streams.indices(len(donor), call.stream, RETRY) < loans.fails[skill]).nonzero()[0]
    return _as_recorded(time if shared.factor is None else time * shared.factor, failed, cost), None


def _as_recorded(time: Floats, failed: Samples, cost: Money | None) -> Draw:
    mode = np.zeros(failed.size, np.uint8)
    return Draw(time, failed, mode, cost, (Met(failed, mode),) if failed.size else (), ())


def _with_the_run(
    call: Call, streams: Streams, key: int, index: Indices, shared: Shared, scale: Floats | None
) -> tuple[Floats, Samples, Indices]:
    """Latencies that go with the rest of the run; whether an attempt fails otherwise stays its own luck."""
    attempts = call.attempts
    good = _good(attempts)
    luckless = index >= good
    if shared.mood is None:
        ranks = (index * (SIZE / max(good, 1))).clip(max=SIZE - 1).astype(np.uint16)
    else:
        own = normal_scores().take(streams.indices(len(index), call.stream, key + OWN_MOOD))
        ranks = ranks_of(np.sqrt(shared.share) * shared.mood + np.sqrt(1 - shared.share) * own)
    time = attempts.clean.take(ranks)
    time[luckless] = attempts.time.take(index[luckless])
    if scale is not None:
        time *= np.where(_grows(attempts, index), scale, 1.0)
    if shared.factor is not None:
        time *= shared.factor
    late = time > attempts.timeout_ms
    time[late] = attempts.timeout_ms
    succeeded = ranks * (attempts.first_failure / SIZE)
    index = np.where(luckless, index, succeeded).astype(np.uint16)
    return time, (luckless | late).nonzero()[0], index


def _good(attempts: Attempts) -> int:
    """Entries of attempts that meet no failure of the skill's own."""
    return SIZE - sum(entries for _, entries in attempts.spans)


def _grows(attempts: Attempts, index: Indices) -> Flags:
    """Which attempts take longer with larger sizes: all but those whose failure has a time of its own."""
    own = np.array([mode.time is not None for mode in attempts.modes], bool)
    grows = np.ones(len(index), bool)
    luckless = (index >= _good(attempts)).nonzero()[0]
    grows[luckless] = ~own[mode_of(attempts, index.take(luckless))]
    return grows


def _first_price(
    call: Call, streams: Streams, key: int, index: Indices, time: Floats, scale: Floats | None
) -> Money | None:
    price = call.price
    if price is None or (price.table is None and not price.constant and not price.per_ms):
        return None
    if price.table is None:
        cost = np.full(len(time), price.constant, np.int64)
    else:
        ranks = streams.indices(len(time), call.stream, key + PRICE)
        if price.follows:
            latency = normal_scores().take(index)
            own = normal_scores().take(ranks)
            ranks = ranks_of(price.follows * latency + np.sqrt(1 - price.follows**2) * own)
        cost = price.table.take(ranks)
    if scale is not None:
        cost = np.rint(cost * scale).astype(np.int64)
    if price.per_ms:
        cost += np.rint(time * (price.per_ms * MICRO)).astype(np.int64)
    return cost


def _retries(
    call: Call, streams: Streams, key: int, first: Draw, factor: Floats | None, scale: Scale
) -> Draw:
    """Try the failed ones again by the policy, until they succeed, may not be retried, or tries run out."""
    attempts, time, cost = call.attempts, first.time, first.cost
    live, mode = first.failed, first.mode
    lost: list[Samples] = []
    lost_mode: list[NDArray[np.uint8]] = []
    rounds, retries, lengths = list(first.rounds), list[Samples](), list[Floats]()
    left = _outages(call, streams, key, mode)
    for tries in range(1, call.retry.max_attempts):
        if not call.retries_all:
            may = call.retried[mode]
            lost.append(live[~may])
            lost_mode.append(mode[~may])
            live, mode = live[may], mode[may]
            left = left[may] if left is not None else None
        if not live.size:
            break
        pause = call.retry.backoff(tries)
        index = streams.indices(live.size, call.stream, key + RETRY)
        if left is not None:
            left -= pause
            index = _still_out(call, index, mode, left)
        spent, fails = _again(
            attempts,
            index,
            None if scale.time is None else scale.time.take(live),
            None if factor is None else factor.take(live),
        )
        lengths.append(spent + pause)
        time[live] += lengths[-1]
        retries.append(live)
        again = fails.nonzero()[0]
        mode = mode_of(attempts, index.take(again))
        if cost is not None:
            larger = None if scale.cost is None else scale.cost.take(live)
            cost[live] += _retry_price(call, streams, key, spent, again, mode, larger)
        live = live.take(again)
        left = (left - spent)[again] if left is not None else None
        rounds.append(Met(live, mode))
    if lost:
        live, mode = np.concatenate([*lost, live]), np.concatenate([*lost_mode, mode])
    return Draw(time, live, mode, cost, tuple(rounds), tuple(retries), tuple(lengths))


def _again(
    attempts: Attempts, index: Indices, scale: Floats | None, factor: Floats | None
) -> tuple[Floats, Flags]:
    """How long further attempts take, and which of them fail."""
    spent, fails = attempts.time.take(index), index >= attempts.first_failure
    if scale is None and factor is None:
        return spent, fails
    if scale is not None:
        good = _good(attempts)
        fails = index >= good
        clean = attempts.clean.take((index * (SIZE / max(good, 1))).astype(np.intp), mode="clip")
        spent = np.where(fails, spent, clean) * np.where(_grows(attempts, index), scale, 1.0)
    if factor is not None:
        spent *= factor
    fails = fails | (spent > attempts.timeout_ms)
    return np.minimum(spent, attempts.timeout_ms), fails


def _still_out(call: Call, index: Indices, mode: NDArray[np.uint8], left: Floats) -> Indices:
    """A retry within the outage meets the failure that caused it again."""
    first, entries = np.array(call.attempts.spans)[mode].T
    return np.where(left > 0, first + (index.astype(np.int64) * entries >> 16), index).astype(np.uint16)


def _outages(call: Call, streams: Streams, key: int, mode: NDArray[np.uint8]) -> Floats | None:
    """How long (ms) what made each attempt fail goes on; None where no mode of the skill lasts."""
    if not any(m.outage for m in call.attempts.modes):
        return None
    ranks = streams.indices(mode.size, call.stream, key + OUTAGE)
    left = np.zeros(mode.size)
    for i, kind in enumerate(call.attempts.modes):
        if kind.outage:
            hit = mode == i
            left[hit] = quantile_table(kind.outage.value)[ranks[hit]]
    return left


def _retry_price(
    call: Call,
    streams: Streams,
    key: int,
    spent: Floats,
    again: Samples,
    mode: NDArray[np.uint8],
    scale: Floats | None,
) -> Money:
    price = call.price
    assert price is not None
    if price.table is None:
        cost = np.full(spent.size, price.constant, np.int64)
    else:
        cost = price.table.take(streams.indices(spent.size, call.stream, key + RETRY_PRICE))
    if scale is not None:
        cost = np.rint(cost * scale).astype(np.int64)
    if price.per_ms:
        cost += np.rint(spent * (price.per_ms * MICRO)).astype(np.int64)
    cost[again[~_charged(call)[mode]]] = 0
    return cost


def _charged(call: Call) -> Flags:
    return np.array([mode.charged for mode in call.attempts.modes], bool)
