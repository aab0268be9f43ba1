from typing import Any

import pytest

from aos.domain.forecasts.differences import Change
from aos.wire.plans.changes import changes, dump_change

CASES: list[tuple[Any, Any, list[tuple[str, str, Any, Any]]]] = [
    ({"a": 1}, {"a": 1.0}, []),
    ({"a": 1}, {"a": True}, [("replace", "/a", 1, True)]),
    ({"a": {"b~/c": 1}}, {"a": {"b~/c": 2}}, [("replace", "/a/b~0~1c", 1, 2)]),
    ({"a": None}, {}, [("remove", "/a", None, None)]),
    ({}, {"a": None}, [("add", "/a", None, None)]),
    ([1, {"x": 2}], [1, {"x": 3}], [("replace", "/1/x", 2, 3)]),
    ([1], [1, 2], [("replace", "", [1], [1, 2])]),
    ({"a": ("s1",)}, {"a": ("s2",)}, [("replace", "/a", ("s1",), ("s2",))]),
    ({"a": [1]}, {"a": {"0": 1}}, [("replace", "/a", [1], {"0": 1})]),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_the_least_values_that_differ(before: Any, after: Any, expected: list[Any]) -> None:
    assert [tuple(change) for change in changes(before, after)] == expected


def test_a_value_that_is_not_there_is_left_out() -> None:
    assert dump_change(Change("add", "/a", None, None)) == {"op": "add", "pointer": "/a", "after": None}
    assert dump_change(Change("remove", "/a", 1, None)) == {"op": "remove", "pointer": "/a", "before": 1}
