"""`aos-server` as a process, as its users start it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx


def sockets(pid: int) -> set[str]:
    """The addresses at which a process listens, as the kernel writes them."""
    owned = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            owned.add(str(path.readlink()))
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()
    ]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in owned}


def running(words: str) -> list[int]:
    """Processes whose command line holds `words`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if words.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


class Served:
    """A running server. `said` is what it printed until it was ready, `log` what it prints from then on."""

    def __init__(self, process: "subprocess.Popen[str]", said: str, url: str) -> None:
        self.process = process
        self.said = said
        self.url = url
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.log.extend(lines)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait. Returns the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(40)
        self._reader.join(10)
        return status


@contextmanager
def aos_server(*words: str, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Start it, wait until it says where it is, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aos_server", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": os.environ["PATH"], **(env or {})},
    )
    try:
        said, url = _until_ready(process)
        yield Served(process, said, url)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(40)


def _until_ready(process: "subprocess.Popen[str]") -> tuple[str, str]:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        url = re.search(
            r'^aos-server \S+ for development: (\S+)$|"event": "listening".* "url": "(\S+)"',
            said,
            re.MULTILINE,
        )
        if url and (url[2] or line.startswith("ready")) and _answers(url[1] or url[2]):
            return said, url[1] or url[2]
    process.stdout.close()
    raise AssertionError(f"aos-server ended: {said}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=30).status_code == 200
    except httpx.HTTPError:
        return False
