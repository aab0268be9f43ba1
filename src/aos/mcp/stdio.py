"""Standard input and output as the two ends of a connection.

Descriptor 1 belongs to the protocol alone: while this lasts, what anything else prints goes to stderr, and what
anything else reads is empty. A thread each reads and writes, so that nothing that hangs there keeps the process from
ending.
"""

import asyncio
import os
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from aos.errors import AosError
from aos.mcp.messages import Refused, lines, read_message
from aos.wire.encode import one_line

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.shared.message import SessionMessage

__all__ = ["connected"]

_PIECE = 65_536


@asynccontextmanager
async def connected() -> "AsyncIterator[tuple[MemoryObjectReceiveStream[Any], MemoryObjectSendStream[Any]]]":
    """What arrives and what is to be sent, as messages. Both end where the other side closes its end."""
    import anyio

    given, taken = _claimed()
    arriving, arrived = anyio.create_memory_object_stream[Any](0)
    sent, sending = anyio.create_memory_object_stream[Any](0)
    writer = _Writer(taken)
    threading.Thread(target=_read, args=(given, _Inbox(arriving, writer)), daemon=True).start()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_pass_on, sending, writer, arrived)
        yield arrived, sent


async def _pass_on(
    sending: "MemoryObjectReceiveStream[SessionMessage]",
    writer: "_Writer",
    arrived: "MemoryObjectReceiveStream[Any]",
) -> None:
    """Write what is sent, until nothing more is, or nobody reads it: then nothing more arrives either."""
    async with sending:
        async for each in sending:
            document = each.message.model_dump(by_alias=True, exclude_unset=True, mode="json")
            try:
                await writer.write(document)
            except OSError:
                arrived.close()
                return


class _Inbox:
    """Where the thread that reads puts what it has read, and waits until somebody takes it."""

    def __init__(self, arriving: "MemoryObjectSendStream[Any]", writer: "_Writer") -> None:
        self._arriving = arriving
        self._writer = writer
        self._loop = asyncio.get_running_loop()

    def put(self, line: bytes | None) -> None:
        self._await(partial(self._taken, read_message(line)))

    def close(self) -> None:
        self._await(self._arriving.aclose)

    async def _taken(self, message: dict[str, Any] | Refused) -> None:
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter
        from pydantic import ValidationError

        if isinstance(message, dict):
            try:
                understood = jsonrpc_message_adapter.validate_python(message, by_name=False)
            except ValidationError:
                message = _no_message(message)
            else:
                await self._arriving.send(SessionMessage(understood))
                return
        with suppress(OSError):  # whoever writes next finds out
            await self._writer.write(message.answer)

    def _await(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have the loop do it, and wait. It is begun there: work that a loop no longer comes to was never begun."""
        done = Future[None]()

        def begin() -> None:
            self._begun = self._loop.create_task(work())  # of which a loop keeps no hold itself
            self._begun.add_done_callback(lambda task: _tell(done, task))

        self._loop.call_soon_threadsafe(begin)
        done.result()


def _tell(done: "Future[None]", task: "asyncio.Task[None]") -> None:
    if task.cancelled():
        done.cancel()
    elif error := task.exception():
        done.set_exception(error)
    else:
        done.set_result(None)


class _Writer:
    """Writes whole messages, one after the other."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._left: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._work, daemon=True).start()

    async def write(self, document: Mapping[str, Any]) -> None:
        """Raises OSError where nobody reads any more."""
        done = self._loop.create_future()
        self._left.put((one_line(document).encode() + b"\n", done))
        await done

    def _work(self) -> None:
        while True:
            data, done = self._left.get()
            failed = _write(self._fd, data)
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(_settle, done, failed)


def _settle(done: "asyncio.Future[None]", failed: OSError | None) -> None:
    if done.cancelled():
        return
    if failed:
        done.set_exception(failed)
    else:
        done.set_result(None)


def _write(fd: int, data: bytes) -> OSError | None:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(fd, left) :]
    except OSError as error:
        return error
    return None


def _read(fd: int, inbox: _Inbox) -> None:
    """Ends with the input, and with the loop, whose streams are then closed."""
    with suppress(Exception):
        for line in lines(partial(_piece, fd)):
            if line is None or line.strip():
                inbox.put(line)
    with suppress(Exception):
        inbox.close()


def _piece(fd: int) -> bytes:
    try:
        return os.read(fd, _PIECE)
    except OSError:
        return b""


def _no_message(sent: Mapping[str, Any]) -> Refused:
    """JSON, but none of the protocol's messages."""
    identity = sent.get("id")
    known = isinstance(identity, int | str) and not isinstance(identity, bool)
    told = {"code": -32600, "message": "not a message of JSON-RPC 2.0"}
    return Refused({"jsonrpc": "2.0", "id": identity if known else None, "error": told})


def _claimed() -> tuple[int, int]:
    """Descriptors of our own for input and output; 0 then reads nothing, and 1 writes to stderr."""
    try:
        given, taken = _above(0), _above(1)
    except OSError:
        raise AosError(
            "unreadable",
            "standard input or output is closed",
            fix="A client starts it; `--print-config` shows how.",
        ) from None
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        os.dup2(nothing, 1)
    os.close(nothing)
    return given, taken


def _above(fd: int) -> int:
    """A duplicate that is none of the three standard descriptors, and that no child inherits."""
    found = os.dup(fd)
    if found > 2:
        return found
    try:
        return _above(fd)
    finally:
        os.close(found)
