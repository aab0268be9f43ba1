from pathlib import Path
from typing import Any

import pytest

from aos.api.forecast.cases import Case, case
from aos.api.forecast.diff import diff
from aos.domain.forecasts.differences import Delta, Pair
from aos.domain.forecasts.verdicts import Limits
from aos.report.forecast.diff import comparison
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import parse_plan

GOLDEN = Path(__file__).parent / "golden"

GET: dict[str, Any] = {"id": "price", "skill": "http_call", "params": {"url": "https://example.org/price"}}
ASK: dict[str, Any] = {
    "id": "think",
    "skill": "llm_invoke",
    "params": {"prompt": "${steps.price.output.body}", "model": "gpt-4o"},
}
TELL: dict[str, Any] = {
    "id": "tell",
    "skill": "webhook_send",
    "params": {"url": "https://example.org/hook", "payload": 1},
}
OLD: dict[str, Any] = {"name": "old", "budget": 100, "steps": [GET, ASK, TELL]}
NEW: dict[str, Any] = {
    "name": "new",
    "budget": 1,
    "steps": [
        GET,
        {**ASK, "id": "ask", "params": {**ASK["params"], "model": "gpt-4o-mini"}},
        {**TELL, "approval": 3},
        {"id": "mail", "skill": "email_send", "params": {"to": "a@b.c", "subject": "s", "body": "b"}},
    ],
}


def asked(document: dict[str, Any]) -> Case:
    known = default_catalog()
    return case(parse_plan({"aos_plan": "1", **document}, known, name="plan").plan, known, Limits())


def shown(a: dict[str, Any], b: dict[str, Any], width: int = 80, **look: Any) -> str:
    return comparison(diff(asked(a), asked(b), samples=2_000), width, colour=False, **look)


def test_the_whole_text() -> None:
    assert shown(OLD, NEW) == (GOLDEN / "diff.txt").read_text(encoding="utf-8")


def test_a_plan_and_itself_take_few_lines() -> None:
    lines = shown(OLD, OLD).splitlines()
    assert lines[:2] == ["FEASIBLE  as before", "no difference"]
    assert "cost      the same  typical" in "\n".join(lines)
    assert "steps     3 steps the same" in lines


def test_unknown_figures_are_named_with_their_side() -> None:
    vague = {
        **OLD,
        "budget": 100,
        "steps": [GET, {**ASK, "params": {"prompt": "?", "model": "nobody/knows"}}, TELL],
    }
    text = shown(OLD, vague)
    assert "UNDETERMINED" in text
    assert "B: no price is known for model 'nobody/knows'" in text
    assert "A: " not in text.split("unknown   B")[1].split("basis")[0]


def test_long_plans_are_cut_short() -> None:
    many = {
        "steps": [{**GET, "id": f"a{i}", "params": {"url": f"https://example.org/{i}"}} for i in range(60)]
    }
    text = shown(many, {"steps": [TELL]})
    assert "… and 41 more" in text
    assert len(text.splitlines()) < 90


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_wider_than_the_page(width: int, ascii: bool) -> None:
    text = shown(OLD, NEW, width, ascii=ascii)
    assert max(map(len, text.splitlines())) <= width
    assert not ascii or text.isascii()


def test_a_plan_can_not_move_the_cursor() -> None:
    hostile = {**TELL, "params": {**TELL["params"], "payload": "\x1b[H\u202e"}}
    text = shown(OLD, {**OLD, "name": "\x1b[2J", "steps": [GET, ASK, hostile]})
    assert not any(character in text for character in "\x1b\u202e")


def test_what_is_noise_is_no_sign_of_anything() -> None:
    assert [Delta(0.0, 0.0).kind, Delta(1.9, 1.0).kind, Delta(-2.1, 1.0).kind] == ["same", "noise", "real"]
    assert not Pair(1.0, 2.9, Delta(1.9, 1.0)).rises
    assert Pair(1.0, -1.1, Delta(-2.1, 1.0)).falls
    assert Delta(0.0, 1.0).kind == "noise"
