"""Blocks, donors and fan-outs whose parts don't fit each other are refused, each with its place."""

from typing import Any

import pytest

from aos.errors import InputError
from aos.wire.catalogs.read import parse_catalog

BLOCK: dict[str, Any] = {
    "skills": ["a", "b"],
    "after": [[], [0]],
    "gap_ms": [[0, 1], [0, 2]],
    "time_ms": [[5, 6], [7, 8]],
    "failed": [[False, False], [False, True]],
    "draws": [[0, 1, 1, 0.5], [1, 1, 1, 0.5]],
}
DONORS: dict[str, Any] = {"time_ms": {"a": [[1, 2], [3]], "b": [[4], [5]]}, "bandwidth": 0.5, "slope": 1}


def refused(document: dict[str, Any]) -> set[str]:
    with pytest.raises(InputError) as caught:
        parse_catalog({"aos_catalog": "1", **document}, name="catalog")
    return {finding.pointer for finding in caught.value.findings}


def test_both_are_read() -> None:
    catalog = parse_catalog({"aos_catalog": "1", "blocks": [BLOCK], "donors": [DONORS]}, name="catalog")
    assert catalog.blocks[0].draws[1].run == 1
    assert catalog.donors[0].time_ms["a"] == ((1.0, 2.0), (3.0,))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"gap_ms": [[0, 1]]}, "/blocks/0/gap_ms"),
        ({"time_ms": [[5], [7]]}, "/blocks/0/time_ms"),
        ({"cost_cents": [[1, 2]]}, "/blocks/0/cost_cents"),
        ({"failed": [[False, 0], [False, True]]}, "/blocks/0/failed/0/1"),
        ({"after": [[], [1]]}, "/blocks/0/after/1/0"),
        ({"after": [[]]}, "/blocks/0/after"),
        ({"draws": [[2, 1, 1, 1]]}, "/blocks/0/draws/0/0"),
        ({"draws": [[0, 1, 1]]}, "/blocks/0/draws/0"),
        ({"draws": [[0, 1, 1, 0]]}, "/blocks/0/draws"),
        ({"draws": []}, "/blocks/0/draws"),
        ({"skills": "a"}, "/blocks/0/skills"),
    ],
)
def test_a_block_of_another_shape(change: dict[str, Any], pointer: str) -> None:
    assert pointer in refused({"blocks": [{**BLOCK, **change}]})


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"time_ms": {}}, "/donors/0/time_ms"),
        ({"time_ms": {"a": [[1]], "b": [[1], [2]]}}, "/donors/0/time_ms"),
        ({"time_ms": {"a": [[], [1]], "b": [[1], []]}}, "/donors/0/time_ms"),
        ({"cost_cents": {"a": [[1], [3]], "b": [[4], [5]]}}, "/donors/0/cost_cents"),
        ({"bandwidth": 0}, "/donors/0/bandwidth"),
    ],
)
def test_donors_that_cannot_lend(change: dict[str, Any], pointer: str) -> None:
    assert pointer in refused({"donors": [{**DONORS, **change}]})


@pytest.mark.parametrize("stairs", [[0.5], [0.5, 0.2], [0, 2]])
def test_stairs_rise(stairs: list[float]) -> None:
    law = {"width": 4, "delay_ms": 5, "growth": 0, "growth_sd": 0, "stairs": stairs}
    skill = {"version": "1", "purpose": "p", "effects": dict.fromkeys(EFFECTS, True), "fan_out": law}
    found = refused({"skills": {"a": skill}})
    assert all(pointer.startswith("/skills/a/fan_out/stairs") for pointer in found)


EFFECTS = ("read_only", "idempotent", "destructive", "reversible", "open_world")
