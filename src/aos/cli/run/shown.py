"""What `aos run` shows: what happens while it does, and the trace at the end."""

import sys

from aos.cli.answer import Answer, Look, is_terminal, write
from aos.cli.run.people import Person
from aos.domain.runs.happenings import Happening, Observer
from aos.domain.runs.results import RunResult
from aos.errors import Exit
from aos.wire.commands import Commands
from aos.wire.encode import one_line
from aos.wire.results.runs import event, exit_status, next_actions, not_started
from aos.wire.results.runs import run as document

__all__ = ["answer", "watcher"]


def watcher(events: bool, as_json: bool) -> Observer:
    """Who is told what happens: whoever reads the lines of JSON, else the person in front of stderr."""
    if events:
        return _print_line
    if sys.stderr is None or (as_json and not is_terminal(sys.stderr)):
        return lambda happening: None
    from aos.cli.run.progress import Watch

    return Watch(sys.stderr)


def answer(result: RunResult, person: Person, commands: Commands) -> Answer:
    """The trace; where nothing was run, the forecast that says why."""
    status = exit_status(result)
    if status is Exit.INTERRUPTED and person.ended:
        status = person.ended
    return Answer(
        lambda: document(result, status, commands), lambda look: _text(result, look, commands), status
    )


def _text(result: RunResult, look: Look, commands: Commands) -> str:
    if result.state is None:
        from aos.report.forecast import terminal

        assert result.forecast
        why, then = not_started(result.simulation)
        advice = "".join(f"  {words}\n" for words in then)
        return f"{terminal.simulation(result.forecast, **look._asdict())}\n{why}\n{advice}"
    from aos.report.runs.trace import trace

    return trace(result.state, tuple(next_actions(result.state, commands)), **look._asdict())


def _print_line(happening: Happening) -> None:
    """A run does not end for want of a reader: once they have gone, it goes on in silence."""
    if sys.stdout is None or not sys.stdout.closed:
        write(sys.stdout, one_line(event(happening)))
