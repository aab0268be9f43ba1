"""A program run to its end: bounded in time and output, and nothing of it left behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from aos.runtime.guards import GuardError
from aos.runtime.guards.patience import Patience

__all__ = ["Finished", "run"]


class Finished(NamedTuple):
    """Exit status (below 0: minus the signal that ended it), and what came on stdout and stderr."""

    status: int
    output: bytes
    errors: bytes


def run(
    words: Sequence[str],
    given: bytes,
    folder: Path,
    environment: Mapping[str, str],
    patience: Patience,
    max_bytes: int,
) -> Finished:
    """Run a program with `given` on its stdin, in a process group of its own that is killed at the end, however that
    comes about. A process that has left the group on purpose is out of reach.

    Raises GuardError: SKILL_ERROR (effect "none") where it can't be started, REPLY_TOO_LARGE, TIMEOUT, CANCELLED.
    """
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise GuardError("SKILL_ERROR", f"{words[0]} can't be started: {error}", effect="none") from None
    with process:
        try:
            output, errors = _communicated(process, given, patience, max_bytes)
        finally:
            _kill(process)
    return Finished(process.returncode, output, errors)


def _communicated(
    process: "subprocess.Popen[bytes]", given: bytes, patience: Patience, max_bytes: int
) -> tuple[bytes, bytes]:
    rest: bytes | None = given
    while True:
        try:
            output, errors = process.communicate(rest, patience.slice_s())
        except subprocess.TimeoutExpired as expired:
            rest = None  # it is under way
            output, errors = expired.output or b"", expired.stderr or b""
            if process.poll() is not None:
                _kill(process)  # what it has started in the background holds the pipes open
        else:
            rest = b""
        if len(output) > max_bytes or len(errors) > max_bytes:
            raise GuardError("REPLY_TOO_LARGE", f"over {max_bytes:,} bytes of output")
        if rest is not None:
            return output, errors


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
