"""Every example of a policy says what its folder says it says, to the byte."""

import json
from pathlib import Path

import pytest

from tests.cli.schemas import faults
from tests.tools.build_policy_examples import FOLDERS, REPLAYS, printed, replayed
from tests.tools.examples import as_json

EXITS = {"allow": 0, "deny": 3, "requires_approval": 8}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_printed(folder: Path) -> None:
    document = as_json(printed, folder)
    assert document == (folder / "expected.json").read_text(encoding="utf-8")
    assert faults(json.loads(document)) == []
    status, text = printed(folder)
    assert text == (folder / "expected.txt").read_text(encoding="utf-8")
    assert status == EXITS[json.loads(document)["decision"]]


@pytest.mark.parametrize("folder", REPLAYS, ids=lambda folder: folder.name)
def test_what_a_replay_prints(folder: Path) -> None:
    document = as_json(replayed, folder)
    assert document == (folder / "expected.json").read_text(encoding="utf-8")
    assert faults(json.loads(document)) == []
    status, text = replayed(folder)
    assert text == (folder / "expected.txt").read_text(encoding="utf-8")
    assert status == json.loads(document)["exit_code"]
