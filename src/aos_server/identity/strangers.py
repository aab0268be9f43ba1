"""Credentials that nobody knows yet. Anybody can make them up and have others asked about them: so there are limits.

One that was good is no stranger: its bearer has a rate of their own. What was said of it lately is remembered, for
whoever may rely on that.
"""

import asyncio
import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from aos.errors import AosError, Finding

__all__ = ["LATELY_S", "MAX_STRANGERS", "REFUSED_S", "Strangers", "source_of"]

LATELY_S = 60.0
"""For so long what was said of a good credential is remembered."""

REFUSED_S = 2.0
"""For so long what was refused is not asked about anew; no longer, since it may be on its way to who is asked."""
MAX_STRANGERS = 60
"""Credentials of one source that were refused, or are being asked about, within a minute."""

_WINDOW_S = 60.0
_KNOWN_S = 3600.0
_MOST = 10_000  # of each that are remembered

V = TypeVar("V")


class _Refusal(NamedTuple):
    detail: str
    findings: Sequence[Finding]


class Strangers:
    """For one event loop. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known = _Recent[None](_KNOWN_S, clock)
        self._lately = _Recent[object](LATELY_S, clock)
        self._refused = _Recent[_Refusal](REFUSED_S, clock)
        self._counts = _Recent[list[int]](_WINDOW_S, clock)
        self._asking: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    def lately(self, credential: str, kind: type[V]) -> V | None:
        """What of that type was answered about it in the last seconds; None where nothing was, or a refusal."""
        answer = self._lately.get(_key(credential))
        return answer if isinstance(answer, kind) else None

    async def ask(self, credential: str, source: str, question: Callable[[], Awaitable[V]]) -> V:
        """What `question` answers, which raises AosError(unauthenticated) for a credential that is refused.

        Raises that, and AosError(rate_limited) where `source` has brought too many of them.
        """
        key = _key(credential)
        if key not in self._known:
            # Who comes meanwhile is told of a refusal.
            async with self._asking.setdefault(key, asyncio.Lock()):
                if key not in self._known:
                    if refusal := self._refused.get(key):
                        raise AosError("unauthenticated", refusal.detail, findings=refusal.findings)
                    with self._counted(source):
                        return await self._asked(key, question)
        return await self._asked(key, question)

    async def _asked(self, key: bytes, question: Callable[[], Awaitable[V]]) -> V:
        try:
            answer = await question()
        except AosError as error:
            if error.code == "unauthenticated":
                self._known.forget(key)
                self._lately.forget(key)
                self._refused.put(key, _Refusal(error.detail, error.findings))
            raise
        self._known.put(key, None)
        self._lately.put(key, answer)
        return answer

    @contextmanager
    def _counted(self, source: str) -> Iterator[None]:
        """Within it one more of that source is being asked about; after it, if it was refused."""
        count = self._counts.get(source)
        if count is None:
            self._counts.put(source, count := [0])
        if count[0] >= MAX_STRANGERS:
            detail = f"more than {MAX_STRANGERS} credentials a minute from there that nobody knows"
            raise AosError("rate_limited", detail, retry_after_s=self._counts.left_s(source))
        count[0] += 1
        refused = False
        try:
            yield
        except AosError as error:
            refused = error.code == "unauthenticated"
            raise
        finally:
            count[0] -= not refused


def _key(credential: str) -> bytes:
    """What stands for it: none is kept as it is."""
    return hashlib.sha256(credential.encode()).digest()


class _Recent(Generic[V]):
    """What was put in within the last seconds, but no more than `_MOST`; the oldest goes first."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[bytes | str, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: bytes | str) -> bool:
        return self.left_s(key) > 0

    def get(self, key: bytes | str) -> V | None:
        return self._entries[key][1] if key in self else None

    def put(self, key: bytes | str, value: V) -> None:
        self.forget(key)
        self._entries[key] = self._clock(), value
        while len(self._entries) > _MOST or next(iter(self._entries)) not in self:
            self._entries.popitem(last=False)

    def forget(self, key: bytes | str) -> None:
        self._entries.pop(key, None)

    def left_s(self, key: bytes | str) -> float:
        """Seconds that it has left; 0 where it is not there."""
        put_at = self._entries[key][0] if key in self._entries else float("-inf")
        return max(0.0, put_at + self._seconds - self._clock())


def source_of(host: str) -> str:
    """Who an address belongs to: one of IPv4, or the /64 of IPv6 of which everybody has as many as they like."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
