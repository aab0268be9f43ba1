"""`aos policy replay` as a process: over a ledger, over plan files; what it says where it can't tell."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import DEMO, STEP, Finished, aos, inline
from tests.cli.schemas import assert_unknowns_are_null, faults

ANY = "permit (principal, action, resource);"
WRITES = {"skill": "fs_write", "params": {"path": "a.txt", "content": "x"}}
MAIL = {"skill": "email_send", "params": {"to": "a@b.c", "subject": "s", "body": "b"}}
READS = {"skill": "fs_read", "params": {"path": "a.txt"}}
NO_WRITES = '@id("no-writes") forbid (principal, action, resource == Aos::Skill::"fs_write");'


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of three runs, the second under rules, and the third with a catalog of its own."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "a.txt").write_text("a")
    (folder / "any.cedar").write_text(f'@id("any") {ANY}')
    (folder / "no-writes.cedar").write_text(f'@id("any") {ANY}\n{NO_WRITES}')
    (folder / "dear.json").write_text(json.dumps({"skills": {"fs_read": {"cost_cents": 3}}}))
    begin = ("run", "--ledger", "l.db", "--workspace", ".", "--yes", "--plan")
    for words in (
        (inline(READS, WRITES),),
        (inline(WRITES), "--policy", "any.cedar"),
        (inline(READS, READS), "--catalog", "dear.json"),
    ):
        assert aos(*begin, *words, cwd=folder).status == 0
    return folder


def replay(folder: Path, *words: str) -> Finished:
    return aos("policy", "replay", *words, cwd=folder)


def document(folder: Path, *words: str, status: int) -> dict[str, Any]:
    done = replay(folder, *words, "--json")
    assert done.status == status, done.text
    assert faults(done.document) == []
    assert_unknowns_are_null(done.document)
    return done.document


def test_runs_are_asked_about_with_the_forecast_of_then(recorded: Path) -> None:
    words = ("no-writes.cedar", "--against", "any.cedar", "--ledger", "l.db", "--max-undetermined", "0.5")
    told = document(recorded, *words, status=3)
    assert (told["total"], told["determined"], told["undetermined"]) == (3, 2, 1)
    assert told["changes"]["newly_denied"] == told["changed"] == 2
    assert {one["basis"]: one["records"] for one in told["sources"]} == {"forecast": 1, "rules": 1, None: 1}
    (one,) = told["transitions"]
    assert one["groups"][0]["after"] == {"ground": "forbidden", "rules": ["no-writes"]}
    assert sorted(row["after"]["step"] for row in told["rows"]) == ["s1", "s2"]
    assert told["unknown_because"][0]["code"] == "other_contract"
    assert told["window"]["weeks"] is None


def test_too_much_that_cannot_be_told_is_no_yes(recorded: Path) -> None:
    words = ("any.cedar", "--against", "any.cedar", "--ledger", "l.db")
    assert document(recorded, *words, status=5)["changed"] == 0
    document(recorded, *words, "--max-undetermined", "0.34", status=0)
    everything = ("--catalog", "dear.json")
    assert document(recorded, *words, *everything, status=5)["undetermined"] == 1
    document(recorded, *words, "--since", "1ms", status=5)


def test_which_changes_are_a_no_is_chosen(recorded: Path) -> None:
    words = ("no-writes.cedar", "--against", "any.cedar", "--ledger", "l.db", "--max-undetermined", "1")
    document(recorded, *words, "--fail-on", "newly_allowed,newly_asked", status=0)
    document(recorded, *words, "--fail-on", "none", status=0)
    document(recorded, *words, "--fail-on", "any", status=3)
    assert replay(recorded, *words, "--fail-on", "newly").status == 2


def test_every_record_is_a_line_of_the_file(recorded: Path) -> None:
    words = ("no-writes.cedar", "--against", "any.cedar", "--ledger", "l.db", "--rows", "rows.jsonl")
    assert replay(recorded, *words).status == 3
    rows = [json.loads(line) for line in (recorded / "rows.jsonl").read_text().splitlines()]
    assert [row["change"] for row in rows] == ["newly_denied", "newly_denied", None]
    last = rows[-1]
    assert (last["before"], last["after"], last["why"]["code"]) == (None, None, "other_contract")
    assert last["spent_cents"] == 6
    assert replay(recorded, *words[:-1], "nowhere/rows.jsonl").status == 12


def test_plans_in_git_are_asked_about_as_eval_does(tmp_path: Path) -> None:
    (tmp_path / "any.cedar").write_text(ANY)
    plans = tmp_path / "plans"
    (plans / "deep").mkdir(parents=True)
    (plans / ".hidden").mkdir()
    for name, steps in {
        "reads": [STEP],
        "deep/writes": [WRITES],
        "mail": [MAIL],
        ".hidden/x": [MAIL],
    }.items():
        (plans / f"{name}.json").write_text(json.dumps(steps))
    (plans / "wrong.yaml").write_text("aos_plan: '1'\nstepz: []\n")
    (plans / "package.json").write_text('{"name": "x"}')
    (plans / "notes.txt").write_text("steps")
    told = document(tmp_path, "any.cedar", "--plans", "plans", "--rows", "rows.jsonl", status=3)
    assert (told["total"], told["passed_over"], told["undetermined"]) == (4, 1, 1)
    assert told["unknown_because"][0]["code"] == "invalid_plan"
    rows = {row["id"]: row for row in map(json.loads, (tmp_path / "rows.jsonl").read_text().splitlines())}
    assert set(rows) == {
        f"plans/{name}" for name in ("reads.json", "mail.json", "deep/writes.json", "wrong.yaml")
    }
    for name, row in rows.items():
        if row["before"]:
            said = aos("policy", "eval", name, "--json", cwd=tmp_path).document
            assert (row["before"]["decision"], row["before"]["level"]) == (
                said["decision"],
                said["approval_level_required"],
            )


def test_rules_that_are_wrong_are_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "wrong.cedar").write_text("permit (")
    done = replay(tmp_path, "wrong.cedar", "--ledger", "none.db", "--json")
    assert (done.status, done.document["code"]) == (2, "invalid_policy")
    assert done.document["errors"][0]["pointer"] == "/wrong.cedar"
    (tmp_path / "any.cedar").write_text(ANY)
    assert replay(tmp_path, "any.cedar", "--ledger", "none.db", "--json").document["code"] == "needs_ledger"
    assert replay(tmp_path, "any.cedar", "--plans", "nowhere", "--json").document["code"] == "unreadable"
    assert replay(tmp_path, "any.cedar", "--plans", str(DEMO), "--samples", "1").status == 2


def test_nothing_to_look_at_is_no_yes(tmp_path: Path) -> None:
    (tmp_path / "any.cedar").write_text(ANY)
    done = replay(tmp_path, "any.cedar", "--plans", str(tmp_path))
    assert (done.status, "nothing is on record" in done.text) == (5, True)


def test_the_rules_of_the_project_are_those_that_hold(tmp_path: Path) -> None:
    (tmp_path / "any.cedar").write_text(ANY)
    (tmp_path / "no.cedar").write_text(f"{ANY}\n{NO_WRITES}")
    (tmp_path / "plan.json").write_text(json.dumps([WRITES]))
    (tmp_path / "aos.toml").write_text('policy = "no.cedar"\n')
    told = document(tmp_path, "any.cedar", "--plans", "plan.json", status=3)
    assert (told["current"]["name"].rpartition("/")[2], told["changes"]["newly_allowed"]) == ("no.cedar", 1)


def test_a_forecast_that_was_damaged_is_undetermined(recorded: Path, tmp_path: Path) -> None:
    """Whatever somebody wrote into the file, it is no traceback and no allow."""
    for number, damage in enumerate(('"x"', '{"step_estimates": 1}', '{"policy": {"rulings": [{}]}}', "[]")):
        copy = tmp_path / f"{number}.db"
        copy.write_bytes((recorded / "l.db").read_bytes())
        with sqlite3.connect(copy) as db:
            db.execute("DROP TRIGGER content_update")
            db.execute("UPDATE content SET json = ? WHERE digest IN (SELECT simulation FROM runs)", (damage,))
        db.close()
        told = document(recorded, "no-writes.cedar", "--ledger", str(copy), status=5)
        assert (told["determined"], told["unknown_because"][0]["code"]) == (0, "unreadable")


def test_it_can_be_read_in_a_narrow_terminal_without_colour(recorded: Path) -> None:
    words = ("no-writes.cedar", "--against", "any.cedar", "--ledger", "l.db")
    for columns in ("40", "80"):
        done = aos("policy", "replay", *words, cwd=recorded, env={"COLUMNS": columns, "NO_COLOR": "1"})
        assert max(map(len, done.text.splitlines())) <= int(columns)
        assert "NEWLY DENIED" in done.text
        assert b"\x1b" not in done.out
