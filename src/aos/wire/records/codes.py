"""Codes of failed attempts as the logs of others have them: words that say there was none, and whole messages."""

import re
from collections.abc import Sequence

from aos.wire.records.headers import OUTCOMES

__all__ = ["is_prose", "name_of", "without_empty"]

_LONGEST = 64
_WORD = re.compile(r"[\w.:-]*\w")
_NONE = {word for word, outcome in OUTCOMES.items() if outcome == 0} - {"true"} | {
    *("0", "false", "none", "null", "nan")
}
"""In small letters. A `true` says that it failed, and not how."""


def without_empty(codes: Sequence[str]) -> Sequence[str]:
    """The codes, empty where the word is one for no failure: exit status 0, `OK`, `false` of a column `error`."""
    empty = {code for code in set(codes) if code and code.lower() in _NONE}
    return ["" if code in empty else code for code in codes] if empty else codes


def is_prose(code: str) -> bool:
    """Whether it is a message rather than a code."""
    return len(code) > _LONGEST or "\n" in code


def name_of(prose: str) -> str:
    """`RateLimitError` of a message with a traceback behind it."""
    found = _WORD.search(prose)
    return found[0][:_LONGEST] if found else ""
