"""The files to begin with: written whole or not at all, valid as they stand, and honest about what is guessed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import aos


def test_init_writes_settings_and_a_plan_that_is_feasible(tmp_path: Path) -> None:
    assert aos("init", cwd=tmp_path).status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aos.toml", "plan.json"]
    document = aos("simulate", "plan.json", "--json", cwd=tmp_path).document
    assert (document["verdict"], document["budget_cents"]) == ("feasible", 100)
    assert document["warnings"] == []


def test_every_commented_setting_is_one(tmp_path: Path) -> None:
    aos("init", cwd=tmp_path)
    aos("catalog", "init", "translate", "--out", "skills.toml", cwd=tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.cedar").write_text('@id("all") permit (principal, action, resource);')
    uncomment(tmp_path / "aos.toml")
    document = aos("simulate", "plan.json", "--json", cwd=tmp_path).document
    assert (document["deadline_ms"], document["confidence"], document["samples"]) == (30000, 0.9, 10000)
    assert document["policy"]["decision"] == "allow"
    assert "translate" in aos("skills", "--json", cwd=tmp_path).document["skills"]


def test_init_overwrites_nothing_unless_told_to(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("mine")
    refused = aos("init", "--json", cwd=tmp_path)
    assert refused.document["code"] == "file_exists"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    assert (tmp_path / "plan.json").read_text() == "mine"
    assert aos("init", "--force", cwd=tmp_path).status == 0
    assert json.loads((tmp_path / "plan.json").read_text())["aos_plan"] == "1"


def test_the_folder_is_made(tmp_path: Path) -> None:
    assert aos("init", "new/one", cwd=tmp_path).status == 0
    assert (tmp_path / "new" / "one" / "plan.json").is_file()
    (tmp_path / "file").touch()
    refused = aos("init", "file/one", "--json", cwd=tmp_path)
    assert (refused.status, refused.document["code"]) == (12, "write_failed")


def test_a_file_that_can_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    done = aos("catalog", "init", "x", "--out", "folder.toml", "--force", "--json", cwd=tmp_path)
    assert (done.status, done.document["code"]) == (12, "write_failed")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.toml"]


def test_a_descriptor_knows_nothing_until_it_is_told(tmp_path: Path) -> None:
    drafted = aos("catalog", "init", "acme.translate", cwd=tmp_path)
    (tmp_path / "a.toml").write_bytes(drafted.out)
    document = aos("catalog", "check", "a.toml", "--json", cwd=tmp_path).document
    assert document["skills"] == ["acme.translate"]
    descriptor = document["descriptors"]["acme.translate"]
    assert (descriptor["latency_ms"], descriptor["cost"], descriptor["failures"]) == (None, None, None)


def test_every_commented_key_of_a_descriptor_is_one(tmp_path: Path) -> None:
    aos("catalog", "init", "translate", "--out", "t.toml", cwd=tmp_path)
    uncomment(tmp_path / "t.toml")
    descriptor = aos("catalog", "check", "t.toml", "--json", cwd=tmp_path).document["descriptors"][
        "translate"
    ]
    assert descriptor["typical_latency_ms"] == 500
    assert descriptor["typical_cost_cents"] == 0.2
    assert descriptor["failures"][0]["code"] == "TIMEOUT"
    assert descriptor["rate_limit"] == {"per_minute": 60, "burst": 10}
    assert descriptor["input_schema"]["properties"]["text"]["type"] == "string"


def uncomment(path: Path) -> None:
    """Take the comment sign away from every line that holds a key or a table."""
    path.write_text(re.sub(r"^# (?=\w+ = |\[)", "", path.read_text(), flags=re.MULTILINE))


def test_what_a_tool_leaves_out_is_the_worst_case_and_told() -> None:
    document = imported({"name": "act"})
    assert document["catalog"]["skills"]["act"]["effects"] == {
        "read_only": False,
        "idempotent": False,
        "destructive": True,
        "reversible": False,
        "open_world": True,
    }
    told = {guess["pointer"] for guess in document["guesses"]}
    assert told >= {f"/skills/act/effects/{flag}" for flag in document["catalog"]["skills"]["act"]["effects"]}


def test_what_a_tool_says_is_kept_and_no_guess() -> None:
    hints = {"readOnlyHint": False, "idempotentHint": True, "destructiveHint": False, "openWorldHint": False}
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    tool = {"name": "act", "description": "Acts.\n\nAt length.", "annotations": hints, "inputSchema": schema}
    document = imported(tool)
    skill = document["catalog"]["skills"]["act"]
    assert skill["effects"] == {
        "read_only": False,
        "idempotent": True,
        "destructive": False,
        "reversible": False,
        "open_world": False,
    }
    assert (skill["purpose"], skill["input_schema"]) == ("Acts.", schema)
    assert {guess["pointer"] for guess in document["guesses"]} == {
        "/skills/act/version",
        "/skills/act/effects/reversible",
    }


def test_a_tool_that_only_reads_destroys_nothing() -> None:
    effects = imported({"name": "look", "annotations": {"readOnlyHint": True}})["catalog"]["skills"]["look"][
        "effects"
    ]
    assert (effects["read_only"], effects["destructive"], effects["open_world"]) == (True, False, True)


def test_priors_that_nobody_knows_stay_unknown(tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text(json.dumps({"tools": [{"name": "files/read"}]}))
    assert aos("catalog", "import", "tools.json", "--out", "tools.toml", cwd=tmp_path).status == 0
    descriptor = aos("skill", "files.read", "--catalog", "tools.toml", "--json", cwd=tmp_path).document
    assert (descriptor["latency_ms"], descriptor["cost"], descriptor["failures"]) == (None, None, None)
    plan = '[{"skill": "files.read", "params": {}}]'
    done = aos(
        "simulate", "--plan", plan, "--budget", "100", "--catalog", "tools.toml", "--json", cwd=tmp_path
    )
    assert (done.status, done.document["verdict"]) == (5, "undetermined")


def test_a_draft_is_a_catalog_in_both_forms(tmp_path: Path) -> None:
    tools = [{"name": "a", "inputSchema": {"type": "object"}}, {"name": "b/c"}]
    (tmp_path / "tools.json").write_text(json.dumps({"result": {"tools": tools, "nextCursor": "2"}}))
    printed = aos("catalog", "import", "tools.json", cwd=tmp_path)
    told = printed.err.decode().splitlines()
    assert told[-1] == "note: the list goes on: the server has told a `nextCursor`"
    assert "note: effects/destructive true: no destructiveHint: the worst case (a, b.c)" in told
    aos("catalog", "import", "tools.json", "--out", "t.toml", cwd=tmp_path)
    assert tomllib.loads((tmp_path / "t.toml").read_text()) == json.loads(printed.out)
    assert aos("catalog", "check", "t.toml", cwd=tmp_path).status == 0


def test_a_schema_that_can_not_be_used_is_left_out_and_told() -> None:
    schema = {
        "type": "object",
        "$defs": {"x": {"$ref": "#/$defs/x"}},
        "properties": {"a": {"$ref": "#/$defs/x"}},
    }
    document = imported({"name": "loop", "inputSchema": schema, "outputSchema": None, "annotations": None})
    assert "input_schema" not in document["catalog"]["skills"]["loop"]
    assert any(guess["pointer"] == "/skills/loop/input_schema" for guess in document["guesses"])


@pytest.mark.parametrize(
    ("tools", "pointers"),
    [
        ([], [""]),
        ({"tools": {}}, ["/tools"]),
        ({"tools": [{"name": "a"}, {"name": "a"}, {"name": 5}]}, ["/tools/1/name", "/tools/2/name"]),
        ({"result": {"tools": [{"name": "a", "annotations": {"readOnlyHint": "yes"}}]}}, None),
    ],
)
def test_what_is_no_list_of_tools_is_refused_with_everything_wrong(
    tools: Any, pointers: list[str] | None
) -> None:
    document = aos("catalog", "import", "-", "--json", stdin=json.dumps(tools).encode()).document
    assert document["code"] == "invalid_catalog"
    found = [error["pointer"] for error in document["errors"]]
    assert found == (pointers or ["/result/tools/0/annotations/readOnlyHint"])


def imported(tool: dict[str, Any]) -> dict[str, Any]:
    return aos("catalog", "import", "-", "--json", stdin=json.dumps({"tools": [tool]}).encode()).document


def test_a_plan_is_formatted_in_place_and_then_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('[{"skill_id": "fs_read", "inputs": {"path": "é"}, "x-note": 1}]')
    path.chmod(0o640)
    assert aos("plan", "fmt", "plan.json", "--write", cwd=tmp_path).status == 0
    formatted = path.read_text()
    step = {"id": "s1", "skill": "fs_read", "params": {"path": "é"}, "x-note": 1}
    assert json.loads(formatted) == {"aos_plan": "1", "steps": [step]}
    assert path.stat().st_mode & 0o777 == 0o640
    again = aos("plan", "fmt", "plan.json", cwd=tmp_path)
    assert (again.text, again.err) == (formatted, b"")


def test_a_link_keeps_leading_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text('[{"skill": "fs_read", "params": {"path": "a"}}]')
    (tmp_path / "link.json").symlink_to("real.json")
    aos("plan", "fmt", "link.json", "--write", cwd=tmp_path)
    assert (tmp_path / "link.json").is_symlink()
    assert "aos_plan" in (tmp_path / "real.json").read_text()
