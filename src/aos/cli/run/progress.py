"""A run's progress on stderr: a line for each attempt and, on a terminal, how far it has got."""

from typing import TextIO

from aos.cli.answer import is_live, look
from aos.domain.runs.happenings import Happening
from aos.report.runs.progress import Progress

__all__ = ["Watch"]


class Watch:
    """Call it with what happens. What it can't write it leaves out: a run does not end because nobody watches it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._look = look(self._stream)
        self._live = is_live(stream)
        self._progress = Progress()

    def __call__(self, happening: Happening) -> None:
        lines = self._progress.add(happening)
        text = "".join(f"{line}\n" for line in lines)
        if self._live:
            text = "\r\x1b[K" + text
            if not self._progress.over:
                text += self._progress.standing()[: self._look.width - 1]
        try:
            print(text, end="", file=self._stream, flush=True)
        except OSError:
            self._live = False
