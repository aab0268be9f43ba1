"""Samples of one call: all its attempts with their backoffs, what they cost and how they end.

Tables are read with `take`: three times as fast as brackets where the index is not of the machine's own size.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.engine.distributions import SIZE, Floats, Indices, normal_scores, quantile_table, ranks_of
from aos.engine.prices import MICRO, Money
from aos.engine.program import Call
from aos.engine.streams import Streams

Samples = NDArray[np.intp]
Flags = NDArray[np.bool_]

_LATENCY, _RETRY, _PRICE, _RETRY_PRICE, _OVERHEAD, _OWN, _OUTAGE, _SPARE = range(8)


class Met(NamedTuple):
    """One round of attempts: `samples` failed with `mode`, alike for alike."""

    samples: Samples
    mode: NDArray[np.uint8]


class Draw(NamedTuple):
    """`time` (ms) of all attempts and backoffs; `failed` the samples that end failed, with their last `mode`.

    `cost` in micro-cents is None where the call is free. `rounds` are the failures met, attempt by attempt,
    `retries` the samples that tried again after each.
    """

    time: Floats
    failed: Samples
    mode: NDArray[np.uint8]
    cost: Money | None
    rounds: tuple[Met, ...]
    retries: tuple[Samples, ...]

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


def draw(call: Call, streams: Streams, node: int, count: int, mood: Floats | None, share: float) -> Draw:
    """Sample a call `count` times. `node` numbers the items and iterations of the call.

    `mood` are standard normal scores shared with other calls, `share` their weight: a latency's own score is
    sqrt(share)*mood + sqrt(1-share)*own (Gaussian copula), which keeps its distribution as it is.
    """
    attempts = call.attempts
    key = node * _SPARE
    index = streams.indices(count, call.stream, key + _LATENCY)
    failed = (index >= attempts.first_failure).nonzero()[0]
    if mood is None or not attempts.latency_known:
        time = attempts.time.take(index)
    else:
        time, failed, index = _in_the_mood(call, streams, key, index, mood, share)
    mode = attempts.mode.take(index.take(failed) - attempts.first_failure) if failed.size else attempts.mode[:0]
    cost = _first_price(call, streams, key, index, time, failed, mode)
    if not failed.size:
        return Draw(time, failed, mode, cost, (), ())
    return _retries(call, streams, key, Draw(time, failed, mode, cost, (Met(failed, mode),), ()))


def overhead(call: Call, streams: Streams, node: int, count: int) -> Floats | None:
    """What passes between the last predecessor's end and the call's start, None where nothing does."""
    if call.overhead is None:
        return None
    return call.overhead.take(streams.indices(count, call.stream, node * _SPARE + _OVERHEAD))


def _in_the_mood(
    call: Call, streams: Streams, key: int, index: Indices, mood: Floats, share: float
) -> tuple[Floats, Samples, Indices]:
    """Latencies that share a mood; whether an attempt fails stays its own luck."""
    attempts = call.attempts
    own = normal_scores().take(streams.indices(len(index), call.stream, key + _OWN))
    ranks = ranks_of(np.sqrt(share) * mood + np.sqrt(1 - share) * own)
    time = attempts.clean.take(ranks)
    luckless = index >= SIZE - sum(entries for _, entries in attempts.spans)
    late = (time > attempts.timeout_ms) & ~luckless
    succeeded = ranks * (attempts.first_failure / SIZE)
    index = np.where(late, attempts.first_failure, np.where(luckless, index, succeeded)).astype(np.uint16)
    failed = np.flatnonzero(luckless | late)
    time[failed] = attempts.time.take(index.take(failed))
    return time, failed, index


def _first_price(
    call: Call,
    streams: Streams,
    key: int,
    index: Indices,
    time: Floats,
    failed: Samples,
    mode: NDArray[np.uint8],
) -> Money | None:
    price = call.price
    if price is None or (price.table is None and not price.constant and not price.per_ms):
        return None
    if price.table is None:
        cost = np.full(len(time), price.constant, np.int64)
    else:
        ranks = streams.indices(len(time), call.stream, key + _PRICE)
        if price.follows:
            latency = normal_scores().take(index)
            own = normal_scores().take(ranks)
            ranks = ranks_of(price.follows * latency + np.sqrt(1 - price.follows**2) * own)
        cost = price.table.take(ranks)
    if price.per_ms:
        cost += np.rint(time * (price.per_ms * MICRO)).astype(np.int64)
    if failed.size:
        cost[failed[~_charged(call)[mode]]] = 0
    return cost


def _retries(call: Call, streams: Streams, key: int, first: Draw) -> Draw:
    """Try the failed ones again by the policy, until they succeed, may not be retried, or tries run out."""
    attempts, time, cost = call.attempts, first.time, first.cost
    live, mode = first.failed, first.mode
    lost: list[Samples] = []
    lost_mode: list[NDArray[np.uint8]] = []
    rounds, retries = list(first.rounds), list[Samples]()
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
        index = streams.indices(live.size, call.stream, key + _RETRY)
        if left is not None:
            left -= pause
            index = _still_out(call, index, mode, left)
        spent = attempts.time.take(index)
        time[live] += spent + pause
        retries.append(live)
        again = (index >= attempts.first_failure).nonzero()[0]
        mode = attempts.mode.take(index.take(again) - attempts.first_failure)
        if cost is not None:
            cost[live] += _retry_price(call, streams, key, spent, again, mode)
        live = live.take(again)
        left = (left - spent)[again] if left is not None else None
        rounds.append(Met(live, mode))
    if lost:
        live, mode = np.concatenate([*lost, live]), np.concatenate([*lost_mode, mode])
    return Draw(time, live, mode, cost, tuple(rounds), tuple(retries))


def _still_out(call: Call, index: Indices, mode: NDArray[np.uint8], left: Floats) -> Indices:
    """A retry within the outage meets the failure that caused it again."""
    first, entries = np.array(call.attempts.spans)[mode].T
    return np.where(left > 0, first + (index.astype(np.int64) * entries >> 16), index).astype(np.uint16)


def _outages(call: Call, streams: Streams, key: int, mode: NDArray[np.uint8]) -> Floats | None:
    """How long (ms) what made each attempt fail goes on; None where no mode of the skill lasts."""
    if not any(m.outage for m in call.attempts.modes):
        return None
    ranks = streams.indices(mode.size, call.stream, key + _OUTAGE)
    left = np.zeros(mode.size)
    for i, kind in enumerate(call.attempts.modes):
        if kind.outage:
            hit = mode == i
            left[hit] = quantile_table(kind.outage.value)[ranks[hit]]
    return left


def _retry_price(
    call: Call, streams: Streams, key: int, spent: Floats, again: Samples, mode: NDArray[np.uint8]
) -> Money:
    price = call.price
    assert price is not None
    if price.table is None:
        cost = np.full(spent.size, price.constant, np.int64)
    else:
        cost = price.table.take(streams.indices(spent.size, call.stream, key + _RETRY_PRICE))
    if price.per_ms:
        cost += np.rint(spent * (price.per_ms * MICRO)).astype(np.int64)
    cost[again[~_charged(call)[mode]]] = 0
    return cost


def _charged(call: Call) -> Flags:
    return np.array([mode.charged for mode in call.attempts.modes], bool)
