"""The SQL, by name: `db/sql/NOUN.sql` holds blocks that start with `-- name: VERB` and a line that says what for.

`sql("runs.get")` is the block `get` of `runs.sql`. Parameters are written `%(name)s`.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

__all__ = ["names", "sql"]

_BLOCK = re.compile(r"^-- name: (\w+)\n((?:--.*\n)+)((?:(?!-- name: ).*\n)+)", re.MULTILINE)


def sql(name: str) -> str:
    """The statement of that name. Raises KeyError."""
    return _all()[name]


def names() -> Collection[str]:
    """Every statement that there is."""
    return _all().keys()


@cache
def _all() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).with_name("sql").glob("*.sql")):
        blocks = _BLOCK.findall(path.read_text("utf-8"))
        found |= {f"{path.stem}.{name}": body.strip().rstrip(";") for name, _, body in blocks}
    return found
