"""Runs the command line again and again, each time in a process of its own that need not start Python first.

    python -m tests.cli.warm FD

All of aos is loaded once; each request on the socket FD is then answered by a fork, in a tenth of the time that a start
takes. What such a process can't show is that a command itself loads what it needs and nothing else, nor what libraries
read from the environment when they are loaded.
"""

import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import aos

_LAZY = ("cedarpy", "genai_prices", "jsonschema_rs", "keyring", "sqlite_utils", "yaml")
"""What functions import, and is slow."""


class Warm:
    """A process that has loaded aos; it ends with this one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                env=env,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def run(
        self, words: Sequence[str], standard: Sequence[int], cwd: Path, env: Mapping[str, str], seconds: float
    ) -> int:
        """The exit status, negative for a signal, of `aos WORDS` whose input, output and errors are those files."""
        ours, theirs = socket.socketpair()
        with ours, scratch(json.dumps([list(words), str(cwd), dict(env)]).encode()) as request:
            with theirs:
                files = [request.fileno(), theirs.fileno(), *standard]
                socket.send_fds(self._requests, [b"run"], files)
            ours.settimeout(seconds)
            return int(ours.recv(16))


def scratch(content: bytes = b"") -> IO[bytes]:
    """A file without a name, to be read from its beginning."""
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - who asks for it closes it
    file.write(content)
    file.seek(0)
    return file


def _serve(requests: socket.socket) -> None:
    while True:
        word, files, *_ = socket.recv_fds(requests, 16, 5)
        if not word:
            return
        if not os.fork():
            requests.close()
            _answer(*files)
            return
        for file in files:
            os.close(file)


def _answer(request: int, answer: int, *standard: int) -> None:
    """Run one command in a process, and say how it ended. Returns in the command's process, at its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(answer, str(status).encode())
        os._exit(0)
    with open(request, "rb") as file:
        words, cwd, env = json.load(file)
    for number, kept in enumerate(standard):
        os.dup2(kept, number)
        os.close(kept)
    os.close(answer)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["aos", *words]
    runpy.run_module("aos", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for module in pkgutil.walk_packages(aos.__path__, "aos."):
        if module.name != "aos.__main__":
            importlib.import_module(module.name)
    for name in _LAZY:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve(socket.socket(fileno=int(sys.argv[1])))
