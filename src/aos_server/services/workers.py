"""Worker processes: what takes computing runs there, so that the event loop stays free and a heavy plan is alone."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from anyio import BrokenWorkerProcess, CapacityLimiter, create_task_group, fail_after, to_process

from aos.errors import AosError
from aos_server.metrics import WORKERS_LOST

__all__ = ["Workers"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_MOST_WAITING = 200
"""Calls that may wait for a process; the next one is told to come back."""


class Workers:
    """Processes that compute. One of them is always left to what is light.

    A process that dies is replaced, and its call made again: what runs here computes and touches nothing. A call that
    takes longer than `timeout_s`, its wait included, is killed with its process.
    """

    def __init__(self, processes: int, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._all = CapacityLimiter(processes)
        self._heavy = CapacityLimiter(max(1, processes - 1))

    async def start(self) -> None:
        """Start every process, and import what it will need: the first caller waits for neither."""
        async with create_task_group() as group:
            for _ in range(int(self._all.total_tokens)):
                group.start_soon(self.run, _ready)

    async def run(self, function: Callable[..., T], *args: object, heavy: bool = False) -> T:
        """What `function(*args)` returns or raises, computed in a process; both have to survive pickling.

        Raises AosError: overloaded where too many wait, not_computed where the time is up or the process was killed
        twice.
        """
        if self._all.statistics().tasks_waiting >= _MOST_WAITING:
            raise AosError("overloaded", "too many plans wait to be computed", retry_after_s=5)
        try:
            with fail_after(self._timeout_s):
                async with AsyncExitStack() as stack:
                    if heavy:
                        await stack.enter_async_context(self._heavy)
                    return await self._run_again(function, *args)
        except TimeoutError:
            detail = f"it was not computed within {self._timeout_s:g} s"
            raise AosError("not_computed", detail, retry_after_s=30 if heavy else 5) from None

    async def _run_again(self, function: Callable[..., T], *args: object) -> T:
        for _ in range(2):
            try:
                return await to_process.run_sync(function, *args, cancellable=True, limiter=self._all)
            except BrokenWorkerProcess:
                WORKERS_LOST.inc()
                _log.warning("a process that computed a plan was killed")
        raise AosError("not_computed", "its process was killed, twice", retry_after_s=5)


def _ready() -> None:
    """Take long enough that each process gets one of these."""
    import time

    import aos.api.forecast.simulate
    import aos.engine.alternatives
    import aos.engine.attribution
    import aos.engine.evidence  # noqa: F401
    from aos.policy.rules import default_policy

    default_policy()
    time.sleep(0.1)
