"""docs/webhooks.md: what it shows works."""

import re
from pathlib import Path
from typing import Any

import pytest

from aos.errors import CODES
from aos_server.services.webhooks.schedule import DELAYS_S

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text("utf-8")


def test_the_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for program in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(program, "docs/webhooks.md", "exec"), names)
    assert names["app"].routes


def test_the_table_of_codes_is_that_of_the_catalogue() -> None:
    shown = dict(re.findall(r"^\| `(webhook_\w+)` \| (\d+) \|", PAGE, re.MULTILINE))
    assert shown == {code: str(row.status) for code, row in CODES.items() if row.area == "webhook"}


def test_the_schedule_is_that_of_the_code() -> None:
    table = re.search(r"<!-- schedule -->\n.*\n.*\n\| it waits \| (.*) \|\n<!-- /schedule -->", PAGE)
    assert table is not None
    seconds = {"s": 1, "min": 60, "h": 3600}
    shown = [
        float(number) * seconds[unit] for number, unit in (cell.split() for cell in table[1].split(" | "))
    ]
    assert shown == list(DELAYS_S)
