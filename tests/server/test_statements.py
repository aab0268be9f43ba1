"""Every statement of db/sql is asked for by its name somewhere, and every name asked for is there."""

import re
from pathlib import Path

from aos_server.db import queries

SOURCE = Path(queries.__file__).parents[1]
NAME = re.compile(r'"([a-z]+\.[a-z_]+)"')


def test_every_statement_is_used_and_every_one_used_is_there() -> None:
    there = set(queries.names())
    nouns = {name.partition(".")[0] for name in there}
    asked = {
        name
        for path in SOURCE.rglob("*.py")
        if "keystores" not in path.parts  # which name files, and know no database
        for name in NAME.findall(path.read_text("utf-8"))
        if name.partition(".")[0] in nouns
    }
    assert asked == there
