"""`aos mcp` as a process, spoken to line by line: nothing between the test and the bytes."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.cli.process import clean, command

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


class Talk:
    """A conversation that has begun. Notifications that came while an answer was waited for are in `told`."""

    def __init__(self, *words: str, cwd: Path | None = None, env: Mapping[str, str] = {}) -> None:
        self.process = subprocess.Popen(
            command("mcp", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**clean(cwd), **env},
        )
        self.told: list[dict[str, Any]] = []
        self._answers: dict[Any, dict[str, Any]] = {}
        self._last = 0
        assert "result" in self.ask("initialize", HELLO)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self) -> "Talk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()

    def send(self, message: dict[str, Any] | bytes) -> None:
        assert self.process.stdin
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def begin(self, method: str, params: dict[str, Any]) -> int:
        """Ask, and do not wait; the number that the answer will have."""
        self._last += 1
        self.send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        return self._last

    def begin_call(self, tool: str, arguments: dict[str, Any], **meta: Any) -> int:
        params = {"name": tool, "arguments": arguments, **({"_meta": meta} if meta else {})}
        return self.begin("tools/call", params)

    def answer(self, number: int | str | None) -> dict[str, Any]:
        while number not in self._answers:
            message = self.next()
            if "id" in message:
                assert message["id"] not in self._answers
                self._answers[message["id"]] = message
            else:
                self.told.append(message)
        return self._answers.pop(number)

    def next(self) -> dict[str, Any]:
        """The next message, which is one line of JSON and nothing else."""
        assert self.process.stdout
        message = json.loads(self.process.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        return dict(message)

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return self.answer(self.begin(method, params))

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The result of a tool call."""
        return dict(self.answer(self.begin_call(tool, arguments))["result"])

    def ended(self, *, by: signal.Signals | None = None) -> tuple[int, bytes, bytes]:
        """Close its input, or send a signal: status, what else came on stdout, and stderr."""
        assert self._answers == {}  # nothing that nobody asked for
        if by is None:
            assert self.process.stdin
            self.process.stdin.close()
            self.process.stdin = None
        else:
            self.process.send_signal(by)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@contextmanager
def talk(*words: str, cwd: Path | None = None, env: Mapping[str, str] = {}) -> Iterator[Talk]:
    with Talk(*words, cwd=cwd, env=env) as begun:
        yield begun
