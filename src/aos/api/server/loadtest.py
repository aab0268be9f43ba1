"""Call a server from many threads at once, and measure how it answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle, islice
from threading import Barrier, BrokenBarrierError, Event
from typing import Literal, TypeAlias, get_args

from aos.domain.loads import Load, Shot
from aos.errors import AosError
from aos.sdk.client import Client
from aos.sdk.core import Call
from aos.sdk.counters import counters

__all__ = ["CALLS", "What", "counters_of", "load"]

What: TypeAlias = Literal["evaluate", "read", "simulate"]
CALLS: tuple[What, ...] = get_args(What)

_CALLS: Mapping[What, Call] = {
    "evaluate": Call(
        "POST", "/api/v1/policy/eval", body={"skill_id": "json_transform", "payload": {"query": "a"}}
    ),
    "read": Call("GET", "/api/v1/policy/requests", {"limit": "20"}),
    "simulate": Call(
        "POST",
        "/api/v1/runtime/simulate",
        body={"plan": [{"skill": "json_transform", "params": {"query": "a"}}], "budget_cents": 100},
    ),
}
"""Calls that change nothing. Sent once each, whatever comes of it."""


def load(
    clients: Sequence[Client],
    calls: Sequence[What],
    each: int,
    counted: Callable[[], Mapping[str, float] | None] = lambda: None,
    progress: Callable[[int], None] = lambda done: None,
) -> Load:
    """Make `each` calls from each client, one after the other, all clients at once.

    Each first makes one call that is not counted, which opens its connection. Raises AosError where that goes wrong:
    unreachable, unauthenticated, authorization_denied …
    """
    ready, stop = Barrier(len(clients)), Event()
    done: list[Shot] = []

    def work(client: Client, first: int) -> tuple[float, float]:
        try:
            client.send(_CALLS[calls[first % len(calls)]])
        except AosError:
            ready.abort()
            raise
        ready.wait()
        begun = time.monotonic()
        for what in islice(cycle(calls), first, first + each):
            if stop.is_set():
                break
            done.append(_shot(client, what))
            progress(len(done))
        return begun, time.monotonic()

    before, cpu = counted(), time.process_time()
    with ThreadPoolExecutor(len(clients)) as pool:
        try:
            spans = _gathered([pool.submit(work, client, i) for i, client in enumerate(clients)])
        except BaseException:
            stop.set()
            raise
    cpu, after = time.process_time() - cpu, counted()
    took_s = max(end for _, end in spans) - min(begun for begun, _ in spans)
    return Load(len(clients), done, took_s, cpu, _rose(before, after))


def counters_of(client: Client) -> dict[str, float] | None:
    """What the server has counted since it started; None where it does not show that to us."""
    try:
        reply = client.reply(Call("GET", "/metrics"))
    except AosError:
        return None
    return counters(reply.content.decode("utf-8", "replace")) if reply.status == 200 else None


def _shot(client: Client, what: What) -> Shot:
    begun = time.monotonic()
    code = None
    try:
        client.send(_CALLS[what])
    except AosError as error:
        code = error.code
    return Shot(what, (time.monotonic() - begun) * 1000, code)


def _gathered(spans: Sequence[Future[tuple[float, float]]]) -> list[tuple[float, float]]:
    """What all of them gave. Raises what one of them has met, and not that the others then had nobody to wait for."""
    errors = [error for span in spans if (error := span.exception()) is not None]
    if errors:
        raise next((error for error in errors if not isinstance(error, BrokenBarrierError)), errors[0])
    return [span.result() for span in spans]


def _rose(before: Mapping[str, float] | None, after: Mapping[str, float] | None) -> dict[str, float] | None:
    if before is None or after is None:
        return None
    rose = {name: value - before.get(name, 0.0) for name, value in after.items()}
    return {name: by for name, by in sorted(rose.items()) if by > 0}
