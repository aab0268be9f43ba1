"""A receiver of webhooks that behaves as the path says: well, badly, or maliciously. It keeps what it was sent."""

import asyncio
import gzip
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

BOMB = gzip.compress(bytes(50 * 1024 * 1024))
"""50 kB that would be 50 MB."""


class Message(NamedTuple):
    """What arrived: header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


_Act = Callable[[asyncio.StreamWriter, "Receiver"], Awaitable[None]]


class Receiver:
    """Its `url` and what it got. `choose` says as which other path `/choose` behaves."""

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.got: list[Message] = []
        self.read = 0  # bytes of `/endless` that were taken
        self.choose: Callable[[Message], str] = lambda _: "/204"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and answer it."""
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                message = await _message(reader)
                self.got.append(message)
                path = self.choose(message) if message.path == "/choose" else message.path
                await ACTS.get(path, _status)(writer, self) if path in ACTS else await _answer(
                    writer, path[1:4]
                )
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> Message:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Message(head[0].split()[1], headers, body)


async def _answer(writer: asyncio.StreamWriter, status: str, more: str = "", body: bytes = b"said") -> None:
    body = b"" if status == "204" else body
    length = "" if status == "204" else f"Content-Length: {len(body)}\r\n"
    writer.write(f"HTTP/1.1 {status} X\r\n{length}{more}\r\n".encode() + body)
    await writer.drain()


async def _status(writer: asyncio.StreamWriter, _: Receiver) -> None:
    await _answer(writer, "200")


async def _hang(writer: asyncio.StreamWriter, _: Receiver) -> None:
    await asyncio.sleep(3600)


async def _drip_head(writer: asyncio.StreamWriter, _: Receiver) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _drip_body(writer: asyncio.StreamWriter, _: Receiver) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _endless(writer: asyncio.StreamWriter, receiver: Receiver) -> None:
    writer.write(b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + bytes(4096) + b"\r\n")
        await writer.drain()
        receiver.read += 4096


async def _bomb(writer: asyncio.StreamWriter, _: Receiver) -> None:
    await _answer(writer, "200", "Content-Encoding: gzip\r\n", BOMB)


async def _reset(writer: asyncio.StreamWriter, _: Receiver) -> None:
    writer.transport.abort()


async def _noise(writer: asyncio.StreamWriter, _: Receiver) -> None:
    writer.write(b"\x00\xff\x1b[2J no http\r\n\r\n")
    await writer.drain()


async def _broken_body(writer: asyncio.StreamWriter, _: Receiver) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    await writer.drain()


async def _continues(writer: asyncio.StreamWriter, _: Receiver) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.001)


async def _wait(writer: asyncio.StreamWriter, _: Receiver) -> None:
    await asyncio.sleep(0.05)
    await _answer(writer, "204")


ACTS: Mapping[str, _Act] = {
    "/hang": _hang,
    "/drip-head": _drip_head,
    "/drip-body": _drip_body,
    "/endless": _endless,
    "/bomb": _bomb,
    "/reset": _reset,
    "/noise": _noise,
    "/broken-body": _broken_body,
    "/continues": _continues,
    "/wait": _wait,
    "/redirect": lambda writer, _: _answer(writer, "302", "Location: http://127.0.0.1/204\r\n"),
    "/429": lambda writer, _: _answer(writer, "429", "Retry-After: 120\r\n"),
    "/503-date": lambda writer, _: _answer(writer, "503", "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n"),
    "/503-odd": lambda writer, _: _answer(writer, "503", "Retry-After: soon\r\n"),
}


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a port of its own, in a thread."""
    started: list[tuple[Receiver, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def main() -> None:
        end = asyncio.Event()
        receivers: list[Receiver] = []
        server = await asyncio.start_server(lambda r, w: receivers[0].serve(r, w), "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        receivers.append(Receiver(port, "https" if tls else "http"))
        started.append((receivers[0], asyncio.get_running_loop(), end))
        ready.set()
        await end.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(30)
    receiver, loop, end = started[0]
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
