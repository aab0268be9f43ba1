"""The thread that reads, when the loop that it reads for has ended."""

import asyncio
import gc
import warnings
from typing import Any, cast

import pytest

from aos.mcp.stdio import _Inbox


class Arriving:
    """Where nothing arrives any more."""

    async def aclose(self) -> None:
        raise AssertionError("nobody is there to do it")


def test_what_comes_too_late_is_not_begun() -> None:
    async def opened() -> _Inbox:
        return _Inbox(cast(Any, Arriving()), cast(Any, None))

    inbox = asyncio.run(opened())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for late in (inbox.close, lambda: inbox.put(b"{}")):
            with pytest.raises(RuntimeError, match="closed"):
                late()
        gc.collect()
    assert [str(one.message) for one in said] == []


def test_the_loop_does_what_it_is_given_and_says_how_that_ended() -> None:
    class Closed:
        async def aclose(self) -> None:
            raise KeyError("gone")

    async def main() -> None:
        inbox = _Inbox(cast(Any, Closed()), cast(Any, None))
        with pytest.raises(KeyError):
            await asyncio.to_thread(inbox.close)

    asyncio.run(main())
