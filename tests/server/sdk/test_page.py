"""The examples of docs/sdk.md do what they show."""

import asyncio
import re
from pathlib import Path

import pytest

from aos_server.app import application
from tests.server.http.world import NO_RUNS, People
from tests.server.serve import serving

PAGE = (Path(__file__).parents[3] / "docs/sdk.md").read_text("utf-8")


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    imports, body = other.split("\n\n", 1)
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    wrapped = f"{imports}\nasync def work():\n{lines}\n    return answer\n"
    with serving(application(People(), runs=NO_RUNS)) as url:
        names = {"token": "engineer", "key": None}
        exec(one.replace("https://aos.example", url), names)
        assert capsys.readouterr().out == "feasible 0\n"
        exec(wrapped.replace('"https://aos.example", key=key', f'"{url}", token=token'), names)
        answer = asyncio.run(names["work"]())  # type: ignore[misc, operator]
    assert answer["query_type"] == "skills_available_for_goal"
