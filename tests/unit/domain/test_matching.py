from typing import Any

import pytest

from aos.domain.plans.matching import matches, under_the_names_of
from aos.domain.plans.plan import Plan
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import parse_plan


def plan(*steps: dict[str, Any]) -> Plan:
    return parse_plan(list(steps), default_catalog(), name="plan").plan


def get(url: str, **more: Any) -> dict[str, Any]:
    return {"skill": "http_call", "params": {"url": f"https://e.org/{url}"}, **more}


def read(path: str, **more: Any) -> dict[str, Any]:
    return {"skill": "fs_read", "params": {"path": path}, **more}


def keep(source: str, **more: Any) -> dict[str, Any]:
    content = f"${{steps.{source}.output.content}}"
    return {"skill": "fs_write", "params": {"path": "out", "content": content}, **more}


CASES = {
    "the same plan": (plan(get("1"), read("a")), plan(get("1"), read("a")), {0: 0, 1: 1}),
    "other names": (plan(read("a"), keep("s1")), plan(read("a", id="x"), keep("x", id="y")), {0: 0, 1: 1}),
    "names that change places": (
        plan(get("1", id="a"), get("1", id="b")),
        plan(get("1", id="b"), get("1", id="a")),
        {0: 0, 1: 1},
    ),
    "a step in front, ids by place": (
        plan(get("1"), get("2"), read("a")),
        plan(get("0"), get("1"), get("2"), read("a")),
        {1: 0, 2: 1, 3: 2},
    ),
    "a step dropped, ids by place": (
        plan(get("1"), get("2"), get("3")),
        plan(get("1"), get("3")),
        {0: 0, 1: 2},
    ),
    "an id of its own goes before what it does": (
        plan(get("1", id="fetch"), get("2", id="more")),
        plan(get("2", id="fetch"), read("a"), get("1", id="other")),
        {0: 0},
    ),
    "an id of its own may change its skill": (
        plan(get("1", id="fetch")),
        plan(read("a", id="fetch")),
        {0: 0},
    ),
    "an id by place may not": (plan(get("1")), plan(read("a")), {}),
    "moved and renamed": (plan(get("1"), read("a")), plan(read("a", id="x"), get("1", id="y")), {0: 1, 1: 0}),
    "renamed and changed where it stands": (
        plan(get("1"), read("a"), get("2")),
        plan(get("1"), read("b", id="x"), get("2")),
        {0: 0, 1: 1, 2: 2},
    ),
    "nothing in common": (plan(get("1")), plan(read("a", id="x"), read("b", id="y")), {}),
}


@pytest.mark.parametrize(("a", "b", "expected"), CASES.values(), ids=CASES)
def test_steps_are_matched(a: Plan, b: Plan, expected: dict[int, int]) -> None:
    assert matches(a, b) == expected
    assert matches(b, a) == {i: j for j, i in expected.items()}


def test_references_are_told_under_the_names_of_a() -> None:
    a = plan(read("a"), keep("s1"))
    b = plan(
        read("new", id="s1"),
        read("a", id="x"),
        keep("x", id="y", needs=["x", "s1"], when='steps.s1.outcome == "succeeded"'),
    )
    same = matches(a, b)
    assert same == {1: 0, 2: 1}
    new, first, second = under_the_names_of(a, b, same)
    assert (new.id, first, second.id) == ("s1 (B)", a.steps[0], "s2")
    assert second.params == a.steps[1].params
    assert second.needs == ("s1", "s1 (B)")
    assert second.when
    assert second.when.step == "s1 (B)"


def test_a_literal_that_looks_like_a_reference_stays() -> None:
    a = plan(read("a"), read("$${steps.s1.output.content} ${steps.s1.output.content}"))
    b = plan(read("a", id="x"), read("$${steps.s1.output.content} ${steps.x.output.content}", id="y"))
    assert under_the_names_of(a, b, matches(a, b)) == a.steps
