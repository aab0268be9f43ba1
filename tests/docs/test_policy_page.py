"""docs/policy.md: its rules are sound, its commands print what it says, and it names every fact and limit."""

import re
import shlex
from pathlib import Path

import pytest

from aos.domain.approvals.policies import Facts
from aos.policy.rules import MAX_BYTES, MAX_RULES, Source, load
from aos.policy.syntax import MAX_NESTING, MAX_OPERATORS, MAX_STATEMENT
from tests.cli.process import ROOT, aos

PAGE = (ROOT / "docs/policy.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("cedar"))
def test_its_rules_are_sound(text: str) -> None:
    assert load([Source("page.cedar", text.encode())]).rules


@pytest.mark.parametrize("text", blocks("console"))
def test_its_commands_print_what_it_says(text: str) -> None:
    command, _, printed = text.partition("\n")
    words = shlex.split(command.removeprefix("$ aos "))
    assert aos(*words, cwd=Path(ROOT), env={"PYTHONIOENCODING": "utf-8"}).text == printed


def test_it_names_every_fact_and_limit() -> None:
    for fact in Facts._fields:
        assert re.search(rf"`{fact}\??`", PAGE), fact
    limits = f"{MAX_BYTES // 1024} KiB and {MAX_RULES:,} rules, a rule {MAX_STATEMENT:,} characters"
    assert f"{limits}, {MAX_OPERATORS} operators and brackets {MAX_NESTING} deep" in PAGE
