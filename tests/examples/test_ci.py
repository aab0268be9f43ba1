"""The pipelines under examples/ci are well-formed, and what they call is what there is."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.cli.process import DEMO, aos

FILES = sorted((Path(__file__).parents[2] / "examples/ci").glob("*.yml"))


def commands(value: object) -> list[str]:
    """Every line that calls aos, wherever it stands."""
    if isinstance(value, dict):
        return [line for inner in value.values() for line in commands(inner)]
    if isinstance(value, list):
        return [line for inner in value for line in commands(inner)]
    return [value] if isinstance(value, str) and value.startswith("aos ") else []


def test_there_is_one_for_each_host() -> None:
    assert [file.name for file in FILES] == ["github-actions.yml", "gitlab-ci.yml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_command_writes_the_summary_and_the_page(file: Path, tmp_path: Path) -> None:
    (command,) = commands(yaml.safe_load(file.read_text("utf-8")))
    words, _, target = re.fullmatch(r"aos (.*?) (>>?) (.+)", command).groups()  # type: ignore[union-attr]
    (tmp_path / "plan.json").write_bytes(DEMO.read_bytes())
    done = aos(*shlex.split(words), cwd=tmp_path)

    assert done.status == 0, done.err
    assert done.text.startswith("## ✓ FEASIBLE")
    assert (tmp_path / "forecast.html").read_text("utf-8").startswith("<!doctype html>")
    assert "SUMMARY" in target or target == "forecast.md"
