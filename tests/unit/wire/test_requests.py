import json
from decimal import Decimal
from typing import Any

import pytest

from aos.errors import InputError
from aos.wire.catalogs.read import default_catalog
from aos.wire.requests import Request, parse_request

STEP: dict[str, Any] = {"skill": "fs_read", "params": {"path": "a"}}


def request(value: Any) -> Request:
    return parse_request(json.dumps(value).encode(), name="line 1")


def test_a_plan_alone_asks_for_nothing_special() -> None:
    plans: list[Any] = [[STEP], {"aos_plan": "1", "steps": [STEP]}]
    for plan in plans:
        assert request(plan) == Request(plan)
        assert len(request(plan).parsed(default_catalog(), name="line 1").plan.steps) == 1


def test_a_plan_with_what_is_special_about_it() -> None:
    found = request({"plan": [STEP], "id": "a", "budget": 0.25, "deadline_ms": 5, "seed": 7})
    assert found == Request([STEP], True, "a", Decimal("0.25"), 5, 7)


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        ({"plan": [STEP], "budgt": 1}, "/budgt", "unknown_key"),
        ({"plan": [STEP], "id": 5}, "/id", "wrong_type"),
        ({"plan": [STEP], "deadline_ms": 0}, "/deadline_ms", "bad_value"),
        ({"plan": [STEP], "seed": 1.5}, "/seed", "wrong_type"),
        ({"plan": [STEP], "budget": -1}, "/budget", "bad_value"),
    ],
)
def test_what_is_wrong_around_the_plan(value: Any, pointer: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        request(value)
    assert [(f.pointer, f.code) for f in caught.value.findings] == [(pointer, code)]


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ([{"skill": "nothing"}], "/0/skill"),
        ({"steps": [{"skill": "nothing"}]}, "/steps/0/skill"),
        ({"plan": [{"skill": "nothing"}]}, "/plan/0/skill"),
        ({"plan": None}, "/plan"),
        ("text", ""),
    ],
)
def test_pointers_lead_into_the_line(value: Any, pointer: str) -> None:
    with pytest.raises(InputError) as caught:
        request(value).parsed(default_catalog(), name="line 1")
    assert [finding.pointer for finding in caught.value.findings] == [pointer]
