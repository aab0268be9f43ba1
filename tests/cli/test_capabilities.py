"""`aos capabilities`: the same bytes on every machine, wherever it is called."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from aos.api.running.runs import export
from aos.cli.table import COMMANDS, EVERY, GROUPS
from aos.errors import CODES, Exit
from aos.ledger.ledger import Ledger
from tests.cli.process import DEMO, aos, clean
from tests.fakes.servers import reply, serving
from tests.unit.ledger.build import intent, run_end, start


def test_it_needs_no_home_no_writable_folder_and_no_environment(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    needed = [f"{key}={value}" for key, value in clean().items() if key == "PYTHONPATH"]
    words = ["env", "-i", *needed, sys.executable, "-B", "-m", "aos", "capabilities", "--json"]
    bare = subprocess.run(words, capture_output=True, cwd=tmp_path)
    assert (bare.returncode, bare.stderr) == (0, b"")
    rich = aos(
        "capabilities",
        "--json",
        env={"HOME": "/nowhere", "LANG": "de_DE.UTF-8", "COLUMNS": "300", "TERM": "x"},
    )
    assert bare.stdout == rich.out == aos("capabilities", "--json").out


def test_it_tells_what_every_command_takes_and_does() -> None:
    document = aos("capabilities", "--json").document
    commands = {entry["name"]: entry for entry in document["commands"]}
    assert list(commands) == list(COMMANDS)
    simulate = commands["simulate"]
    assert {name for option in simulate["options"] for name in option["names"]} >= {
        "--budget",
        "--plan",
        "--json",
    }
    assert simulate["exit_codes"] == sorted({*EVERY, *COMMANDS["simulate"].exits})
    assert [entry["code"] for entry in document["codes"]] == list(CODES)
    assert [entry["exit_code"] for entry in document["exit_codes"]] == [int(status) for status in Exit]
    assert document["limits"]["plan_steps"] == 200


def test_it_tells_what_every_skill_costs_and_does() -> None:
    document = aos("capabilities", "--json").document
    assert document["count"] == 7
    typical = {
        name: (d["typical_latency_ms"], d["typical_cost_cents"])
        for name, d in document["descriptors"].items()
    }
    assert typical == {
        "http_call": (500, 0),
        "llm_invoke": (2000, 5),
        "json_transform": (10, 0),
        "fs_read": (50, 0),
        "fs_write": (100, 0),
        "webhook_send": (300, 0),
        "email_send": (500, 1),
    }
    for descriptor in document["descriptors"].values():
        assert descriptor["rate_limit"]["per_minute"] > 0
        assert descriptor["failures"]
        assert len(descriptor["effects"]) == 5


def test_figures_have_six_digits() -> None:
    """What a computed figure has beyond may differ from one machine to the next."""
    sigma = aos("skill", "http_call", "--json").document["latency_ms"]["sigma"]
    assert sigma == float(f"{sigma:.6g}")


def test_the_state_is_unknown_without_a_ledger() -> None:
    document = aos("capabilities", "--state", "--json").document
    shown = aos("capabilities", "--state").text
    assert shown.startswith(aos("capabilities").text)
    assert "remaining budget" in shown
    assert "nothing has been recorded" in shown
    assert document["state"] == {"remaining_budget_cents": None, "rates": None}
    pointers = {entry["pointer"] for entry in document["unknowns"]}
    assert pointers >= {"/state/remaining_budget_cents", "/state/rates"}


def test_what_no_catalog_states_for_all_skills_is_unknown() -> None:
    for words, place in ((["capabilities"], ""), (["catalog", "show"], "/catalog")):
        document = aos(*words, "--json").document
        assert f"{place}/approval_wait_ms" in {entry["pointer"] for entry in document["unknowns"]}


def test_people_see_a_table_of_seven_skills() -> None:
    lines = aos("capabilities").text.splitlines()
    assert [line.split()[0] for line in lines[1:8]] == aos("skills", "--json").document["skills"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example(name: str) -> None:
    done = aos(*name.split(), "--help")
    assert (done.status, done.err) == (0, b"")
    assert done.text.rstrip().endswith(COMMANDS[name].example)
    assert "--json" in done.text
    assert max(map(len, done.text.splitlines())) <= 80


def test_help_is_a_command_too() -> None:
    assert aos("help", "plan", "fmt").out == aos("plan", "fmt", "--help").out


def test_the_examples_run_one_after_the_other(tmp_path: Path) -> None:
    examples = DEMO.parents[2]
    (tmp_path / "tools.json").write_text('{"tools": [{"name": "look"}]}')
    (tmp_path / "runs.csv").symlink_to(examples / "records/runs.csv")
    (tmp_path / "old.json").symlink_to(DEMO)
    (tmp_path / "policies").symlink_to(examples / "policies/cheap-and-likely")
    (tmp_path / "new.json").symlink_to(DEMO)
    (tmp_path / "result.json").symlink_to(DEMO.with_name("expected.json"))
    recorded = "20261126-101500-a1b2c3"
    with Ledger(tmp_path / "aos/ledger.db") as ledger:
        begun = start(recorded)
        plan = {**begun.plan, "steps": [{"id": "send", "skill": "http_call"}]}
        ledger.begin(begun._replace(plan=plan))
        ledger.intend(intent("send", run=recorded))
        ledger.end(run_end(recorded, "paused"))
    (tmp_path / "runs.jsonl").write_text("\n".join(export(tmp_path / "aos/ledger.db")))
    # Whatever server this machine may have, one is asked that knows nobody, and says so at once.
    with serving(lambda _: [reply(status="401 Unauthorized")]) as server:
        for name, row in COMMANDS.items():
            program, *words = shlex.split(row.example)
            assert program == "aos"
            done = aos(*words, cwd=tmp_path, env={"AOS_BASE_URL": server.url})
            assert done.status in (Exit.YES, *row.exits), name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_gets_a_script(shell: str) -> None:
    script = aos("completion", shell)
    assert (script.status, b"_AOS_COMPLETE" in script.out) == (0, True)


def test_zsh_completes_at_the_first_tab() -> None:
    assert "loadautofunc" in aos("completion", "zsh").text


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_is_shown_the_whole_line_of_a_command(shell: str) -> None:
    env = {
        "_AOS_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "aos ru",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    shown = aos(env=env).text.replace("\\", "")
    assert [words in shown for words in (COMMANDS["run"].help, GROUPS["runs"])] == [True, True]
    assert COMMANDS["simulate"].help not in shown


def test_bash_completes_commands_and_options() -> None:
    def completed(line: str) -> list[str]:
        words = line.split(" ")
        env = {"_AOS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        return aos(env=env).text.split()

    assert completed("aos ex") == ["explain"]
    assert completed("aos catalog i") == ["init", "import"]
    assert completed("aos simulate --bud") == ["--budget"]
    assert completed("aos query last") == ["last_step_outcome"]
    assert completed("aos explain unknown_sk") == ["unknown_skill"]
    assert completed("aos skill fs_") == ["fs_read", "fs_write"]


def test_bash_completes_runs(tmp_path: Path) -> None:
    (tmp_path / "aos").mkdir()
    with Ledger(tmp_path / "aos/ledger.db") as ledger:
        ledger.begin(start("20261126-101500-a1b2c3"))
        ledger.begin(start("20261127-101500-a1b2c3"))

    def completed(line: str, data: Path) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        return aos(env={"_AOS_COMPLETE": "complete_bash", "XDG_DATA_HOME": str(data), **words}).text.split()

    assert completed("aos runs show 20261126", tmp_path) == ["20261126-101500-a1b2c3"]
    assert len(completed("aos run --resume 2026", tmp_path)) == 2
    assert completed("aos runs show 2026", tmp_path / "none") == []
