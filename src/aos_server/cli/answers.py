"""How a command of `aos-server` leaves the process: one answer or one problem, and an exit status."""

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from aos.errors import AosError, Exit
from aos.wire.encode import one_line
from aos.wire.problems import problem, visible

__all__ = ["Answer", "fail", "show"]


class Answer(NamedTuple):
    """A document for machines, a text for people, an exit status; `aside` is for people besides, to stderr."""

    document: Mapping[str, Any]
    text: str
    exit: Exit = Exit.YES
    aside: str = ""


def show(answer: Answer, as_json: bool) -> int:
    """Print the one that is asked for."""
    print(one_line(answer.document) if as_json else answer.text, flush=True)
    if answer.aside and not as_json:
        print(answer.aside, file=sys.stderr, flush=True)
    return answer.exit


def fail(error: AosError, as_json: bool) -> int:
    """Print the problem: as a document to stdout, or in words to stderr, with all that is wrong."""
    if as_json:
        print(one_line(problem(error)), flush=True)
    else:
        lines = [f"error: {error.row.title}  {error.code}", visible(error.detail, 1000)]
        lines += [
            f"  {visible(finding.detail, 1000)}" for finding in error.findings if len(error.findings) > 1
        ]
        print("\n".join([*lines, f"→ {error.fix}"]), file=sys.stderr, flush=True)
    return error.row.exit
