"""A TCP proxy that counts round trips and cuts the line at a word."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Wire:
    """`trips` counts how often the client spoke after the server had."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.trips = 0
        self._target = port
        self._client_spoke = False
        self._word: bytes | None = None
        self._carried = False
        self._pairs: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int) -> AsyncIterator["Wire"]:
        """A proxy before the server on that port."""
        wire = cls(port)
        server = await asyncio.start_server(wire._accept, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()

    def cut_at(self, word: bytes, *, carried: bool) -> None:
        """Cut the line once, when the client says `word`: after it is carried over, but not the answer; or before."""
        self._word, self._carried = word, carried

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the test is over
            await self._carry(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        answers = asyncio.create_task(self._answers(there_reader, writer))
        try:
            while data := await reader.read(65_536):
                self.trips += not self._client_spoke
                self._client_spoke = True
                cut = self._word is not None and self._word in data
                if cut:
                    self._word = None
                    answers.cancel()
                if not cut or self._carried:
                    there_writer.write(data)
                    await there_writer.drain()
                if cut:
                    if self._carried:
                        await asyncio.sleep(0.2)
                    break
        finally:
            for end in (there_writer, writer):
                end.close()
            with suppress(asyncio.CancelledError):
                await answers

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                self._client_spoke = False
                writer.write(data)
                await writer.drain()
            writer.close()
