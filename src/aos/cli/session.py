"""One command from its words to its exit status: call it, show its answer or its failure."""

import codecs
import os
import sys
from contextlib import closing, suppress
from io import TextIOWrapper

from aos.cli.answer import Answer, Stream, look, write
from aos.errors import AosError, Exit


def run(words: list[str]) -> int:
    """Call the command that `words` name, print what it answers, return the exit status."""
    as_json = "--json" in words or "--events" in words
    codecs.register_error("escape", _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # else it is closed
            stream.reconfigure(errors="escape")
    try:
        from aos.cli.app import call

        return _show(call(words), as_json)
    except AosError as error:
        return _fail(error, as_json)
    except KeyboardInterrupt:
        return _stopped("interrupted", as_json)
    except SystemExit as end:
        if end.code != Exit.TERMINATED:
            raise
        return _stopped("terminated", as_json)
    except Exception as error:
        return _fail(_internal(error), as_json)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """What the output's encoding can't say, as JSON escapes it: JSON stays JSON, and text can be read."""
    import json

    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _show(answer: Answer | Stream, as_json: bool) -> int:
    if isinstance(answer, Stream):
        return _pass_on(answer)
    if as_json:
        from aos.wire.encode import one_line

        if sys.stdout is None or not sys.stdout.closed:  # else whoever read the lines before it has gone
            write(sys.stdout, one_line(answer.document()))
    else:
        write(sys.stdout, answer.text(look(sys.stdout)))
        for line in answer.aside:
            _note(line)
    return answer.exit


def _pass_on(stream: Stream) -> int:
    """Write lines until there are no more or nobody reads them; the lowest status but 0 is that of the whole."""
    lowest = Exit.YES
    with closing(stream.lines) as lines:
        for line, status in lines:
            lowest = min(filter(None, (lowest, status)), default=Exit.YES)
            write(sys.stdout, line)
            if sys.stdout.closed:
                break
    return lowest


def _fail(error: AosError, as_json: bool) -> int:
    """A failure goes to stdout as a document, to stderr as text; where stdout is what failed, to stderr."""
    if as_json:
        from aos.wire.encode import one_line
        from aos.wire.problems import problem

        with suppress(AosError):
            write(sys.stdout, one_line(problem(error)))
            return error.row.exit
    from aos.report.problems import problem as text

    with suppress(AosError):
        write(sys.stderr, text(error, *look(sys.stderr)))
    return error.row.exit


def _stopped(code: str, as_json: bool) -> int:
    """A signal: a document for who waits for one; a person who pressed Ctrl-C knows."""
    error = AosError(code, "the command ended before it had an answer")
    return _fail(error, as_json) if as_json else error.row.exit


def _note(line: str) -> None:
    from textwrap import fill

    with suppress(AosError):
        write(sys.stderr, fill(f"note: {line}", look(sys.stderr).width, subsequent_indent="      "))


def _internal(error: Exception) -> AosError:
    """A fault of our own, in one line; the traceback for who asks for it."""
    if os.environ.get("AOS_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    return AosError("internal_error", f"{type(error).__name__}: {error}")
