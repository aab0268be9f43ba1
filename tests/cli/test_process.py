"""What scripts see of the process: statuses, signals, outputs that can't be written, what is imported."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import DEMO, STEP, aos, clean, command, inline

SURE = inline(STEP)
WAITS = inline({**STEP, "approval": True})
HOPELESS = inline(STEP, deadline_ms=1)
OPEN = inline({"skill": "llm_invoke", "params": {"prompt": "?", "model": "nobody/knows"}}, budget=5)


@pytest.mark.parametrize(
    ("plan", "fail_on", "status"),
    [
        (SURE, None, 0),
        (WAITS, None, 0),
        (WAITS, "infeasible,approval", 8),
        (HOPELESS, None, 3),
        (HOPELESS, "undetermined", 0),
        (OPEN, None, 5),
        (OPEN, "infeasible", 0),
        (OPEN, "none", 0),
        (SURE, "infeasible,doubt", 5),
        (HOPELESS, "doubt", 0),
        (WAITS, "approval,doubt", 5),
    ],
)
def test_the_verdict_is_the_exit_status_unless_the_caller_says_otherwise(
    plan: str, fail_on: str | None, status: int
) -> None:
    words = ["--fail-on", fail_on] if fail_on else []
    assert aos("simulate", "--plan", plan, *words, "--json").document["exit_code"] == status


def test_limits_come_from_the_options_then_the_plan_then_the_settings(tmp_path: Path) -> None:
    (tmp_path / "aos.toml").write_text("[simulate]\nbudget_cents = 1\nseed = 7\nconfidence = 0.8\n")
    own, silent = inline(STEP, budget=2), inline(STEP)
    given = aos("simulate", "--plan", own, "--budget", "3", "--seed", "8", "--json", cwd=tmp_path).document
    assert (given["budget_cents"], given["seed"], given["confidence"]) == (3, 8, 0.8)
    assert aos("simulate", "--plan", own, "--json", cwd=tmp_path).document["budget_cents"] == 2
    assert aos("simulate", "--plan", silent, "--json", cwd=tmp_path).document["budget_cents"] == 1


def test_inputs_are_json_where_they_can_be() -> None:
    plan = inline(
        {
            "skill": "http_call",
            "params": {"url": "https://e.org/${inputs.word}", "timeout_s": "${inputs.wait}"},
        }
    )
    assert aos("plan", "check", "--plan", plan, "--input", "word=a b", "--input", "wait=5").status == 0
    done = aos("plan", "check", "--plan", plan, "--input", "word=a", "--input", "wait=long", "--json")
    assert [error["pointer"] for error in done.document["errors"]] == ["/steps/0/params/timeout_s"]


def test_answers_go_to_stdout_and_failures_to_stderr() -> None:
    answer, failure = aos("version"), aos("explain", "nothing-like-it")
    assert (answer.err, failure.out) == (b"", b"")
    assert b"unknown_code" in failure.err


def test_the_version_can_be_had_either_way() -> None:
    assert aos("--version").out == aos("version").out


@pytest.mark.parametrize("words", [["simulate", "--budget"], ["runs", "list", "--status"]])
def test_an_option_without_its_value_names_its_command(words: list[str]) -> None:
    failure = aos(*words)
    assert failure.status == 2
    assert f"`aos {' '.join(words[:-1])} --help` shows the usage." in failure.err.decode()


def test_no_command_at_all_shows_the_help() -> None:
    done = aos()
    assert (done.status, done.text.startswith("Usage: aos ")) == (2, True)
    assert "To begin:\n    aos init\n" in done.text


@pytest.mark.parametrize("words", [[], ["requests"], ["runs", "list"]])
def test_minus_h_asks_for_help_too(words: list[str]) -> None:
    assert aos(*words, "-h").out == aos(*words, "--help").out


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ([], ["list"]),
        (["--waiting", "--level", "2"], ["list", "--waiting", "--level", "2"]),
        (["--no-such"], ["list", "--no-such"]),
    ],
)
def test_requests_are_listed_where_no_verb_is_said(words: list[str], same: list[str]) -> None:
    closed = {"AOS_BASE_URL": "http://127.0.0.1:9"}
    one, other = (aos("requests", *found, "--json", env=closed) for found in (words, same))
    assert (one.status, one.document) == (other.status, other.document)
    assert one.document["code"] in ("unreachable", "usage")


def test_the_help_of_requests_is_that_of_the_group() -> None:
    shown = aos("requests", "--help")
    assert (shown.status, b"escalate" in shown.out) == (0, True)
    assert aos("requests", "lost", "--json").document["code"] == "usage"


@pytest.mark.parametrize("words", [["version"], ["skills"], ["skills", "--json"], ["plan", "schema"]])
def test_a_full_disk_is_status_12(words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command(*words), stdout=full, stderr=subprocess.PIPE, env=clean())
    assert done.returncode == 12
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def closing(streams: str, *words: str, folder: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run `aos WORDS` without some of the streams that a process usually has."""
    started = ["sh", "-c", f'exec "$@" {streams}', "sh", *command(*words)]
    return subprocess.run(started, capture_output=True, env=clean(), cwd=folder, timeout=60)


def test_a_closed_stdout_is_status_12() -> None:
    done = closing(">&-", "skills")
    assert done.returncode == 12
    assert b"Traceback" not in done.stderr


def test_a_plan_that_may_read_null_is_warned_of() -> None:
    read = {
        "id": "page",
        "skill": "http_call",
        "params": {"url": "https://a.example"},
        "on_error": "continue",
    }
    send = {
        "skill": "email_send",
        "params": {"to": "a@b.example", "subject": "", "body": "${steps.page.output.body}"},
    }
    when = 'steps.page.outcome == "succeeded"'
    done = aos("plan", "check", "--plan", json.dumps([read, send]))
    assert done.status == 0
    assert "warning: s2: page may fail and leave its output null, which s2 reads: it fails then" in done.text
    (warning,) = aos("plan", "check", "--plan", json.dumps([read, send]), "--json").document["warnings"]
    assert warning["pointer"] == "/steps/1"
    guarded = json.dumps([read, send | {"when": when}])
    assert aos("plan", "check", "--plan", guarded, "--json").document["warnings"] == []


@pytest.mark.parametrize("words", [["plan", "check", "-"], ["calibrate", "-"], ["runs", "import", "-"]])
def test_a_closed_stdin_can_not_be_read(words: list[str], tmp_path: Path) -> None:
    done = closing("<&-", *words, folder=tmp_path)
    assert done.returncode == 2
    assert b"<stdin>: it is closed" in done.stderr


@pytest.mark.parametrize("streams", ["<&-", "2>&-"])
def test_a_run_needs_neither_stdin_nor_stderr(streams: str, tmp_path: Path) -> None:
    plan = inline({"skill": "json_transform", "params": {"query": "a", "input": {"a": 1}}})
    done = closing(streams, "run", "--plan", plan, "--ledger", "l.db", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"SUCCEEDED" in done.stdout


def test_words_that_come_in_lines_are_told_in_one() -> None:
    done = aos("completion", "--json")
    assert done.document["detail"].endswith("Choose from: bash, zsh, fish, powershell")


@pytest.mark.parametrize("words", [["capabilities", "--json"], ["capabilities"]])
def test_a_reader_who_leaves_early_is_no_failure(words: list[str]) -> None:
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean())
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


SIGNALS = [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]


@pytest.mark.parametrize(("sent", "status", "code"), SIGNALS)
def test_a_signal_ends_it_without_a_word(sent: signal.Signals, status: int, code: str) -> None:
    assert stopped_by(sent) == (status, b"", b"")


@pytest.mark.parametrize(("sent", "status", "code"), SIGNALS)
def test_a_signal_is_a_document_for_who_asked_for_one(sent: signal.Signals, status: int, code: str) -> None:
    returned, out, err = stopped_by(sent, "--json")
    assert (returned, err) == (status, b"")
    assert (json.loads(out)["code"], json.loads(out)["exit_code"]) == (code, status)


def stopped_by(sent: signal.Signals, *options: str) -> tuple[int, bytes, bytes]:
    """What a command that is reading a plan leaves behind when it gets a signal."""
    process = subprocess.Popen(
        command("simulate", "-", *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean(),
    )
    assert process.stdin
    process.stdin.write(b" " * 200_000)  # more than a pipe holds: when this returns, it is reading
    process.send_signal(sent)
    out, err = process.communicate()
    return process.returncode, out, err


def test_a_fault_of_our_own_is_one_line_and_a_traceback_only_if_asked_for(tmp_path: Path) -> None:
    """A numpy that does not load stands for any fault."""
    (tmp_path / "numpy.py").write_text("raise ZeroDivisionError('broken')")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [clean().get("PYTHONPATH")])])}
    done = aos("simulate", "--plan", SURE, "--json", env=env)
    assert (done.status, done.document["code"]) == (1, "internal_error")
    assert done.document["detail"] == "ZeroDivisionError: broken"
    told = aos("simulate", "--plan", SURE, env={**env, "AOS_DEBUG": "1"})
    assert (told.status, b"Traceback" in told.err, told.out) == (1, True, b"")


def test_text_can_be_written_in_any_encoding() -> None:
    plan = inline({**STEP, "id": "a", "x-note": "ü"}, name="größer ✓")
    done = aos("simulate", "--plan", plan, env={"PYTHONIOENCODING": "ascii"})
    assert (done.status, done.out.isascii()) == (0, True)
    for encoding in ("ascii", "latin-1", "utf-8"):
        formatted = aos("plan", "fmt", "--plan", plan, env={"PYTHONIOENCODING": encoding})
        assert json.loads(formatted.out.decode(encoding))["name"] == "größer ✓"


def test_no_colour_in_a_pipe() -> None:
    assert b"\x1b" not in aos("simulate", "--plan", HOPELESS, env={"FORCE_COLOR": "1", "TERM": "xterm"}).out


HEAVY = {"cedarpy", "httpx", "psycopg", "starlette", "pydantic", "jmespath"}
NO_TERMINAL = {"numpy", "rich", "yaml", "tomllib", "jsonschema_rs"}
NO_PLAN = {
    *(*NO_TERMINAL, "hashlib"),
    *("aos.wire.plans", "aos.domain.plans.plan", "aos.domain.runs", "aos.domain.forecasts.forecast"),
}
NO_SKILL = {*NO_TERMINAL, "decimal", "aos.domain"}
NO_RUN = {
    *("rich", "yaml", "tomllib", "multiprocessing", "concurrent", "sqlite3"),
    *("aos.domain.runs", "aos.domain.approvals.policies", "aos.wire.prices"),
}
IMPORTS: dict[str, set[str]] = {
    "--help": {*NO_SKILL, "aos.wire"},
    "version --json": NO_SKILL,
    "explain too_close --json": NO_SKILL,
    "explain nothing --json": NO_TERMINAL,
    "skills --json": NO_PLAN,
    "skill http_call --json": NO_PLAN,
    "capabilities --json": NO_PLAN,
    "plan schema --json": NO_TERMINAL,
    "query allowed_skills --json": NO_PLAN,
    "completion bash": {*NO_SKILL, "aos.wire"},
    "skills": {"numpy", "yaml", "tomllib", "jsonschema_rs", "aos.domain.plans.plan", "aos.domain.runs"},
    f"plan check {DEMO}": {"numpy", "rich", "yaml", "tomllib", "aos.domain.runs"},
    f"simulate {DEMO} --json": NO_RUN,
    f"diff {DEMO} {DEMO} --json": NO_RUN,
    f"verify {DEMO.with_name('expected.json')} --json": NO_RUN,
    f"simulate {DEMO}": {"yaml", "tomllib", "sqlite3", "aos.domain.runs"},
}


@pytest.mark.parametrize(("words", "unwanted"), IMPORTS.items(), ids=IMPORTS)
def test_a_command_imports_what_it_needs_and_no_more(words: str, unwanted: set[str], tmp_path: Path) -> None:
    code = f"import sys, aos.cli; aos.cli.main({words.split()!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=clean(), cwd=tmp_path, text=True
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "aos.cli.app" in loaded
    assert loaded & (HEAVY | unwanted) == set()
