"""The two spellings of a JSON document: one line for programs, indented for people and files."""

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["indented", "one_line"]

# Beyond the controls below U+0020, which JSON itself escapes: C1, line separators, bidi controls.
_UNSAFE = "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"


def one_line(document: Mapping[str, Any]) -> str:
    """ASCII alone, so that no terminal and no encoding can be led astray by it."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def indented(document: Any) -> str:
    """Letters as they are; what could move a cursor or reorder a line is escaped, as JSON escapes it."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return re.sub(_UNSAFE, lambda match: f"\\u{ord(match[0]):04x}", text)
