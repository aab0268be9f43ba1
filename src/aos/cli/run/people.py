"""The person at the terminal: asked before what can't be undone, and able to stop the run."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from aos.cli.answer import is_live, look
from aos.domain.plans.plan import Step
from aos.errors import AosError, Exit
from aos.wire.problems import visible

__all__ = ["Person"]

_SHOWN = 10
_MOST = 400  # characters of a parameter


class Person:
    """Answers for steps that want a go-ahead, and turns Ctrl-C, SIGTERM and a closed terminal into an orderly end.

    A second signal ends the process at once.
    """

    def __init__(self, present: bool) -> None:
        self.present = present
        self._stop: Callable[[], None] | None = None
        self._asking = False
        self.ended: Exit | None = None

    def agree(self, steps: Sequence[Step]) -> None:
        """Ask whether to run a plan with these steps, which can't be undone. Raises AosError(not_confirmed)."""
        if not steps or not self.present:
            return
        listed = "".join(f"  {step.id}  {visible(step.skill)}  {_brief(step)}\n" for step in steps[:_SHOWN])
        if len(steps) > _SHOWN:
            listed += f"  and {len(steps) - _SHOWN:,} more\n"
        if _asked(f"These steps can't be undone:\n{listed}Run them? [y/N] ") not in ("y", "yes"):
            detail = "nothing was run: nobody said yes to the steps that can't be undone"
            raise AosError("not_confirmed", detail)

    def stoppable(self, stop: Callable[[], None]) -> None:
        """From now on a signal ends the run by calling `stop`."""
        self._stop = stop
        for number in _ending():
            signal.signal(number, self._signalled)

    def confirm(self, step: Step) -> bool | None:
        """Whether the step may run; None: nobody is there, or the person wants to decide later."""
        if not self.present:
            return None
        self._asking = True
        try:
            listed = "".join(
                f"  {visible(key)}  {_value(value, _MOST)}\n" for key, value in step.params.items()
            )
            wants = f"{step.id} ({visible(step.skill)}) wants a go-ahead of level {step.approval}"
            text = f"{wants}:\n{listed}Go on? [y/n/Later] "
            return {"y": True, "yes": True, "n": False, "no": False}.get(_asked(text))
        finally:
            self._asking = False

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self.ended = Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for other in _ending()[1:]:
            signal.signal(other, signal.SIG_DFL)
        if self._asking:
            raise KeyboardInterrupt
        assert self._stop
        if self.present:  # not by print: it may be in the middle of another one
            told = f"{_over()}stopping: what is under way has 2 s for it; once more ends it at once\n"
            with suppress(OSError):
                os.write(sys.stderr.fileno(), told.encode())
        self._stop()


def _ending() -> list[signal.Signals]:
    """The signals that end a run; that of a closed terminal only where `nohup` does not have it ignored."""
    closed = getattr(signal, "SIGHUP", None)
    heard = [closed] if closed and signal.getsignal(closed) is not signal.SIG_IGN else []
    return [signal.SIGINT, signal.SIGTERM, *heard]


def _over() -> str:
    """What puts a text over the line that says how far the run has got."""
    return "\r\x1b[K" if is_live(sys.stderr) else ""


def _brief(step: Step) -> str:
    """The parameters in what is left of a line."""
    return _value(dict(step.params), max(20, look(sys.stderr).width - len(step.id) - len(step.skill) - 7))


def _value(value: Any, most: int) -> str:
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), most)


def _asked(text: str) -> str:
    """What the person types, in small letters; nothing where they close the terminal's input."""
    print(f"{_over()}{text}", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower()
