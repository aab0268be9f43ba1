"""The order of steps: cycles, and fallbacks, which stand outside of it."""

import pytest

from aos.errors import InputError
from tests.unit.wire.plans.reading import read, step, wrong


def test_every_cycle_is_named_with_its_way_round() -> None:
    document = [
        step(id="a", needs=["b"]),
        step(id="b", needs=["a"]),
        step(id="c", needs=[]),
        step(id="d", needs=["f"]),
        step(id="e", needs=["d"]),
        step(id="f", when='steps.e.outcome == "failed"', needs=[]),
    ]
    with pytest.raises(InputError) as caught:
        read(document)
    assert [(f.pointer, f.detail) for f in caught.value.findings] == [
        ("/0", "a -> b -> a: these wait for each other"),
        ("/3", "d -> e -> f -> d: these wait for each other"),
    ]


def test_a_long_cycle_is_told_in_short() -> None:
    ring = [step(id=f"a{i}", needs=[f"a{(i + 1) % 200}"]) for i in range(200)]
    with pytest.raises(InputError, match=r"-> \(192 more\) -> a2 -> a1 -> a0: these wait") as caught:
        read(ring)
    assert len(caught.value.findings) == 1


def test_a_step_may_need_one_that_stands_later() -> None:
    assert read([step(id="a", needs=["b"]), step(id="b", needs=[])]).plan.steps[0].needs == ("b",)


def test_a_fallback_belongs_to_one_step_and_to_no_order() -> None:
    document = [
        step(id="a", on_error="fallback:f"),
        step(id="b", on_error="fallback:f"),
        step(id="f"),
        step(id="c", needs=["f"]),
        step(id="d", when='steps.f.outcome == "failed"'),
        step(id="e", params={"path": "${steps.f.output.content}"}),
        step(id="g", needs=["f", "a", "f"]),
    ]
    assert wrong(document) == [
        ("/1/on_error", "fallback_shared"),
        ("/3/needs/0", "fallback_ordered"),
        ("/4/when", "fallback_ordered"),
        ("/5/params/path", "fallback_ordered"),
        ("/6/needs/0", "fallback_ordered"),
        ("/6/needs/2", "fallback_ordered"),
    ]


def test_fallbacks_of_each_other_are_a_cycle() -> None:
    assert wrong([step(id="a", on_error="fallback:b"), step(id="b", on_error="fallback:a")]) == [
        ("/0", "cycle")
    ]


def test_with_two_steps_of_one_id_cycles_are_still_found() -> None:
    document = [step(id="a", needs=["b"]), step(id="a", needs=[]), step(id="b", needs=["a"])]
    assert wrong(document) == [("/0", "cycle"), ("/1/id", "duplicate_id")]
