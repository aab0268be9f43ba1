"""`aos simulate --many`."""

import os
import sys

from aos.api.forecast.many import Terms, answers
from aos.cli.answer import Stream
from aos.files.lines import arriving

__all__ = ["Terms", "plans_of_stdin"]

_TOGETHER = 16
"""Lines that a process takes at once: more would keep the others waiting at the end."""


def plans_of_stdin(terms: Terms) -> Stream:
    """The answers to the plans on standard input, computed on every core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return Stream(answers(terms, arriving(0, together=_TOGETHER), cores))
