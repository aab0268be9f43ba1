"""What changed between two policies: by what the rules mean, not by where they stand."""

import pytest

from aos.policy.differences import differences
from aos.policy.rules import Policy, Source, load

ANY = "permit (principal, action, resource)"
A, B = f'@id("a") {ANY};', f'@id("b") {ANY} when {{ context.steps < 5 }};'


def policy(*texts: str) -> Policy:
    return load([Source(f"{i}.cedar", text.encode()) for i, text in enumerate(texts)])


def ids(before: Policy, after: Policy) -> tuple[list[str], list[str], list[str]]:
    found = differences(before, after)
    assert [old.id for old, _ in found.changed] == [new.id for _, new in found.changed]
    return (
        [rule.id for rule in found.added],
        [rule.id for rule in found.removed],
        [new.id for _, new in found.changed],
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([A], [A], ([], [], [])),
        ([A], [A, B], (["b"], [], [])),
        ([A, B], [B], ([], ["a"], [])),
        ([A, B], [A, B.replace("5", "6")], ([], [], ["b"])),
        ([A, B], [f"// moved\n\n{B}\n{A}"], ([], [], [])),
        ([A], [f'@reason("why") {A}'], ([], [], ["a"])),
        (
            [f"{ANY};"],
            [f"\n\n{ANY};"],
            ([], [], []),
        ),  # without an id it is known by its line, and did not change
        ([A], [A.replace('"a"', '"c"')], (["c"], ["a"], [])),
        ([f"{ANY};"], [f"{ANY};", f"{ANY};"], (["1.cedar:1"], [], [])),
    ],
)
def test_rules_are_matched_by_meaning_then_by_id(
    before: list[str], after: list[str], expected: tuple[list[str], list[str], list[str]]
) -> None:
    old, new = policy(*before), policy(*after)
    assert ids(old, new) == expected
    added, removed, changed = ids(new, old)
    assert ([len(added), len(removed)], len(changed)) == (
        [len(expected[1]), len(expected[0])],
        len(expected[2]),
    )
    assert (old.digest == new.digest) == (expected == ([], [], []))
