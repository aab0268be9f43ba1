"""TOML as tomllib reads it, where it can read it soon.

Integers are as TOML writes them (`0x1F`, `1_000`); dates and times are refused. A syntax error may hide further
duplicates: the reader stops at the first.
"""

import re
import tomllib
from typing import Any

from aos.wire.forms.flaws import INTEGERS, MAX_DEPTH, Stop, too_deep, too_many
from aos.wire.problems import visible

__all__ = ["read_toml"]

_STRING_OR_COMMENT = r'''(?sx)
      """ (?: [^"\\]++ | \\. | "(?!"") )*+ (?: "{3,5} | \Z )
    | \'\'\' (?: [^']++ | '(?!'') )*+ (?: '{3,5} | \Z )
    | " (?: [^"\\\n]++ | \\[^\n] )*+ "?
    | ' [^'\n]*+ '?
    | \# [^\n]*+
'''
_DUPLICATES = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline table key")


def read_toml(text: str, max_nodes: int) -> Any:
    """The tree, unless it would have more than `max_nodes` values."""
    _bound(text, max_nodes)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _error(str(error)) from None
    except ValueError:  # int()'s own limit of 4,300 digits
        raise Stop("number_out_of_range", INTEGERS) from None
    except RecursionError:
        too_deep()


def _bound(text: str, max_nodes: int) -> None:
    """Refuse early what tomllib would take quadratic time and memory, or too long, to read."""
    bare = re.sub(_STRING_OR_COMMENT, "s", text)
    # Outside strings and comments a run of dots is a dotted key, and each dot a level.
    if re.search(rf"(?:\.[^.,=\[\]{{}}\n]*+){{{MAX_DEPTH}}}", bare):
        too_deep("a dotted key is ")
    # Each comma and each equals sign brings at least one value.
    if max(bare.count(","), bare.count("=")) > max_nodes:
        too_many(max_nodes)


def _error(message: str) -> Stop:
    """tomllib ends its messages with the place, "... (at line 1, column 2)"; here the place comes first."""
    what, _, place = message.removesuffix(")").rpartition(" (at ")
    code = "duplicate_key" if what.startswith(_DUPLICATES) else "malformed"
    return Stop(code, f"{place}: {visible(what, 200)}" if what else visible(message, 200))
