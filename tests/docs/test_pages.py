"""The hand-written pages: links lead somewhere, decisions stay short, CI runs the README's commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/adr/[0-9]*.md"))


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The fragments a page answers to, made from its headings the way code hosts make them."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), target
        assert not fragment or fragment in anchors(goal), target


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_is_short_and_says_where_it_stands(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    assert re.search(r"^Status: (proposed|accepted|(partly )?superseded by \d{4})$", text, re.MULTILINE)
    for heading in ("## Context", "## Decision", "## Consequences"):
        assert heading in text


def test_no_two_decisions_share_a_number() -> None:
    numbers = [page.name[:4] for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)


def test_ci_runs_the_readme_commands_as_they_stand() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"^python3 -m venv .+$", readme, re.MULTILINE)
    ci = (ROOT / ".ci/run").read_text("utf-8")
    assert len(commands) == 2
    assert [command for command in commands if command not in ci] == []
