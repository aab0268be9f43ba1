"""Lines as they arrive, so that an endless input is answered while it goes on."""

import os
from collections.abc import Iterator

from aos.errors import AosError
from aos.wire.strict import MAX_BYTES

Line = tuple[int, bytes]
"""A line's number, from 1 on, and what stands in it."""

_READ = 64 * 1024


def arriving(descriptor: int, *, together: int) -> Iterator[list[Line]]:
    """The lines of an open file descriptor, as many as are there already but at most `together` at once.

    Blank lines are counted and left out. Of a line that is longer than any plan may be only the beginning is
    kept, one byte too long. Raises AosError(unreadable).
    """
    rest, number = b"", 0
    while data := _read(descriptor):
        *whole, rest = (rest + data).split(b"\n")
        rest = rest[: MAX_BYTES + 1]
        yield from _grouped(whole, number, together)
        number += len(whole)
    yield from _grouped([rest], number, together)


def _read(descriptor: int) -> bytes:
    # Not through sys.stdin: a thread that waits there holds a lock which Python wants when it ends.
    try:
        return os.read(descriptor, _READ)
    except OSError as error:
        raise AosError("unreadable", f"<stdin>: {error.strerror}") from None


def _grouped(lines: list[bytes], before: int, together: int) -> Iterator[list[Line]]:
    told = [(before + i, line[: MAX_BYTES + 1]) for i, line in enumerate(lines, 1) if line.strip()]
    for start in range(0, len(told), together):
        yield told[start : start + together]
