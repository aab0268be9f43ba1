"""docs/server.md: the table of settings is that of the code."""

import re
from pathlib import Path

from aos_server.settings import VARIABLES

PAGE = Path(__file__).parents[2] / "docs/server.md"


def rows() -> list[str]:
    shown = [
        (name, row.meaning, f"`{row.default}`" if row.default else "") for name, row in VARIABLES.items()
    ]
    return [f"| `{name}` | {meaning} | {default} |" for name, meaning, default in shown]


def test_the_table_of_settings_is_that_of_the_code():
    table = re.search(r"<!-- settings -->\n(.*)<!-- /settings -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert table is not None
    assert table[1].splitlines()[2:] == rows()
