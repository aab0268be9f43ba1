"""The classes of requests, and what becomes of each when a dependency is gone: failures.toml, read."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal, NamedTuple, TypeAlias, get_args

__all__ = ["MATRIX", "TRAFFIC", "Row", "Traffic"]

Traffic: TypeAlias = Literal["decide", "create", "evaluate", "read", "operate", "health"]
"""The classes of requests."""
TRAFFIC: tuple[Traffic, ...] = get_args(Traffic)


class Row(NamedTuple):
    """One class. `share` is the part of `per_minute` (None: not counted) that is left where Redis is gone."""

    examples: tuple[str, ...]
    redis: Literal["local", "unused"]
    share: float
    auth: Literal["refuse", "cached", "ready_false"]
    postgres: Literal["refuse", "ready_false"]
    per_minute: int | None = None

    @property
    def needs_live_identity(self) -> bool:
        """What `Identity.identify` is asked for: whether a request of this class is refused where nobody can say, now,
        what the caller may do."""
        return self.auth == "refuse"


def _read() -> Mapping[Traffic, Row]:
    table = tomllib.loads(files(__package__).joinpath("failures.toml").read_text("utf-8"))
    return {name: Row(**{**table[name], "examples": tuple(table[name]["examples"])}) for name in TRAFFIC}


MATRIX: Mapping[Traffic, Row] = _read()
