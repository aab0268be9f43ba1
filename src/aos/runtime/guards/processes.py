"""A program run to its end: bounded in time and output, and nothing of it left behind."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

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
    # By a thread of its own: after a timeout `communicate` neither writes the rest of its input nor closes the pipe.
    stdin, process.stdin = process.stdin, None
    assert stdin is not None
    feeder = threading.Thread(target=_feed, args=(stdin, given), daemon=True)
    feeder.start()
    with process:
        try:
            output, errors = _communicated(process, patience, max_bytes)
        finally:
            _kill(process)
    feeder.join(1.0)  # nobody reads any more, so it has ended; unless what left the group does
    return Finished(process.returncode, output, errors)


def _communicated(
    process: "subprocess.Popen[bytes]", patience: Patience, max_bytes: int
) -> tuple[bytes, bytes]:
    while True:
        ended = True
        try:
            output, errors = process.communicate(timeout=patience.slice_s())
        except subprocess.TimeoutExpired as expired:
            ended = False
            output, errors = expired.output or b"", expired.stderr or b""
            if process.poll() is not None:
                _kill(process)  # what it has started in the background holds the pipes open
        if len(output) > max_bytes or len(errors) > max_bytes:
            raise GuardError("REPLY_TOO_LARGE", f"over {max_bytes:,} bytes of output")
        if ended:
            return output, errors


def _feed(stdin: IO[bytes], given: bytes) -> None:
    """Write all of it and close; a program that does not read it to the end need not."""
    with contextlib.suppress(OSError), stdin:
        stdin.write(given)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
