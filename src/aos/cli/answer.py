"""What a command gives back, and how it leaves the process."""

import os
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, TextIO

from aos.errors import AosError, Exit


class Look(NamedTuple):
    """How text is to look: columns, colours, and whether only ASCII can be shown."""

    width: int
    colour: bool
    ascii: bool


class Answer(NamedTuple):
    """A document for machines and a text for people; only the one that is asked for is made.

    `aside` are lines that people should know besides: they go to stderr, so that the text can be piped on.
    """

    document: Callable[[], Mapping[str, Any]]
    text: Callable[[Look], str]
    exit: Exit = Exit.YES
    aside: tuple[str, ...] = ()


class Stream(NamedTuple):
    """Lines of JSON, each with the exit status that it would have alone; they are written as they come."""

    lines: Generator[tuple[str, Exit]]


def look(stream: TextIO | None) -> Look:
    """The look that suits a stream: colours only on a terminal and without NO_COLOR (no-color.org)."""
    if stream is None or stream.closed:
        return Look(80, False, True)
    from shutil import get_terminal_size

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    unicode = (stream.encoding or "").lower().startswith("utf")
    return Look(get_terminal_size().columns, is_terminal(stream) and not plain, not unicode)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it, or types into it."""
    return stream is not None and not stream.closed and stream.isatty()


def is_live(stream: TextIO | None) -> bool:
    """Whether it is a terminal where a line can be written over."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def write(stream: TextIO | None, text: str) -> None:
    """Write all of `text`, ending in a newline. Raises AosError(write_failed).

    A reader who has gone away has seen enough, and the answer stays what it is: that is no failure.
    """
    try:
        if stream is None or stream.closed:
            raise OSError("it is closed")
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
    except OSError as error:
        _abandon(stream)
        if not isinstance(error, BrokenPipeError):
            why = error.strerror or error
            raise AosError("write_failed", f"the output could not be written: {why}") from None


def _abandon(stream: TextIO | None) -> None:
    """Let what is still buffered go nowhere: Python would try once more when it ends, and complain."""
    if stream is not None and not stream.closed:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
        os.close(sink)
        stream.close()
