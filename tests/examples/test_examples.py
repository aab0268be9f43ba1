"""Every example prints what its folder says it prints, to the byte."""

import json
from pathlib import Path

import pytest

from tests.tools.build_examples import FOLDERS, printed
from tests.tools.examples import as_json

EXITS = {"feasible": 0, "infeasible": 3, "undetermined": 5}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_a_machine_reads(folder: Path) -> None:
    assert as_json(printed, folder) == (folder / "expected.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_a_person_reads(folder: Path) -> None:
    status, text = printed(folder)
    assert text == (folder / "expected.txt").read_text(encoding="utf-8")
    assert status == EXITS[json.loads((folder / "expected.json").read_text())["verdict"]]


def test_the_demo_says_what_the_seed_says() -> None:
    (demo,) = (folder for folder in FOLDERS if folder.name == "btc-to-slack")
    document = json.loads(as_json(printed, demo))
    assert document["verdict"] == "feasible"
    assert (document["estimated_cost_cents"], document["estimated_duration_ms"]) == (0, 810)
    assert {"s1", "s3"} <= {risk["step"] for risk in document["risks"] if risk["code"] == "TIMEOUT"}
