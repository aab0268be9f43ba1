"""Skills of a user: programs, and Python functions."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import aos
from aos.domain.runs.run import Place
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call
from aos.runtime.skills.registry import implementations, why_not
from aos.runtime.skills.world import Command, World
from tests.fakes.servers import soon
from tests.fakes.skill_programs import ECHO, FORGETS_A_CHILD, HANGS_WITH_A_CHILD

OWN = aos.load_catalog().skills["fs_read"]._replace(id="own", constraints={})


def program(
    source: str, folder: Path, params: Any = None, *, seconds: float = 20, cancelled=None, **constraints: int
) -> Any:
    command = Command((sys.executable, "-c", source), {"MINE": "1"})
    world = World(folder, Secrets(), commands={"own": command})
    call = Call("run-1", Place("s1", 2), 3, "the-key", seconds, cancelled or threading.Event())
    return implementations([OWN._replace(constraints=constraints)], world)["own"](params or {}, call)


def says(document: Any, status: int = 0) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return f"import sys; print({text!r}); print('first\\nlast \\x1b[2J', file=sys.stderr); sys.exit({status})"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_json_goes_in_and_json_comes_out(tmp_path, monkeypatch):
    monkeypatch.setenv("AOS_SECRET_X", "hidden")
    params = {"a": ["é", 1], "long": "x" * 300_000}
    result = program(ECHO, tmp_path, params).result
    assert result["params"] == params
    assert Path(result["folder"]) == tmp_path
    expected = {
        "AOS_RUN": "run-1",
        "AOS_STEP": "s1[2]",
        "AOS_ATTEMPT": "3",
        "AOS_KEY": "the-key",
        "MINE": "1",
    }
    assert expected.items() <= result["environment"].items()
    assert "AOS_SECRET_X" not in result["environment"]


def test_what_it_says_about_itself_counts(tmp_path):
    told = {"result": None, "cost_cents": 1.5, "effect": "committed", "features": {"rows": 3}}
    reply = program(says(told), tmp_path)
    assert (reply.result, str(reply.cost_cents), reply.effect, reply.features) == (
        None,
        "1.5",
        "committed",
        {"rows": 3},
    )


def test_a_failure_is_told_with_its_code(tmp_path):
    failure = {"code": "RATE_LIMITED", "detail": "not\x1b now", "retry_after_ms": 50}
    reply = program(says({"failure": failure, "effect": "none"}, status=1), tmp_path)
    assert reply.fault == ("RATE_LIMITED", "not\\x1b now", 50)
    assert reply.effect == "none"


@pytest.mark.parametrize(
    ("output", "status"),
    [("", 0), ("text", 0), ("{}", 0), ("[]", 0), ('{"result": 1, "failure": {"code": "TIMEOUT", "detail": ""}}', 0),
     ('{"result": 1}', 3), ('{"failure": "no"}', 1), ('{"failure": {"code": "NEW", "detail": ""}}', 1),
     ('{"result": NaN}', 0),
     ('{"result": 1, "effect": "maybe"}', 0), ('{"result": 1, "cost_cents": -1}', 0), ('{"result": 1, "other": 1}', 0),
     ('{"result": 1, "features": {"a": "b"}}', 0), ("", -9)],
)  # fmt: skip
def test_a_program_that_breaks_the_rules_is_a_skill_error(tmp_path, output, status):
    fault = program(says(output, status), tmp_path).fault
    assert fault.code == "SKILL_ERROR"
    assert "\x1b" not in fault.detail


@pytest.mark.parametrize(
    ("output", "status", "detail"),
    [
        ("", 3, "exit status 3, and no output"),
        ("\x1b[1mcollected 12 items\n{}", 0, "exit status 0, and an output that begins \\x1b[1mcollected 12 items: "
         "stdout is for one JSON object, and what else there is to say for stderr"),
        ('{"result": 1, "other": 1}', 0, 'exit status 0, and an output that begins {"result": 1, "other": 1}: '
         '/other unknown key "other"'),
        ('{"result": ', 0, 'exit status 0, and an output that begins {"result":: line 2, column 1: Expecting value'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_output_is_said(tmp_path, output, status, detail):
    assert program(says(output, status), tmp_path).fault.detail.startswith(detail)


def test_the_last_line_of_stderr_is_shown(tmp_path):
    assert program(says("", 3), tmp_path).fault.detail.endswith(": last \\x1b[2J")


def test_a_program_that_went_away_had_no_effect(tmp_path):
    script = tmp_path / "own"
    script.write_text("#!/bin/sh")
    script.chmod(0o755)
    world = World(tmp_path, Secrets(), commands={"own": Command(("./own",))})
    call = Call("r", Place("s1"), 1, "k", 5, threading.Event())
    carry_out = implementations([OWN], world)["own"]
    script.unlink()
    reply = carry_out({}, call)
    assert reply.fault
    assert (reply.fault.code, reply.effect) == ("SKILL_ERROR", "none")


@pytest.mark.parametrize("word", ["/no/such/program", "no-such-program", "./own", "folder/"])
def test_a_program_that_is_not_there_carries_nothing_out(tmp_path, word):
    (tmp_path / "own").write_text("not to be executed")
    (tmp_path / "folder").mkdir()
    world = World(tmp_path, Secrets(), commands={"own": Command((word,))})
    assert implementations([OWN], world) == {}
    assert why_not("own", world) == f"{word} is no program that can be found"


def test_a_program_is_looked_for_where_its_definition_says(tmp_path):
    (tmp_path / "mine").write_text("#!/bin/sh\necho '{\"result\": 1}'")
    (tmp_path / "mine").chmod(0o755)
    call = Call("r", Place("s1"), 1, "k", 20, threading.Event())
    world = World(tmp_path, Secrets(), commands={"own": Command(("mine",), {"PATH": f"{tmp_path}:/bin"})})
    assert implementations([OWN], world)["own"]({}, call).result == 1


def test_too_much_output_is_cut_off(tmp_path):
    for stream in ("stdout", "stderr"):
        source = f"import sys\nwhile True: sys.{stream}.write('x' * 10_000)"
        assert program(source, tmp_path, max_reply_bytes=100_000).fault.code == "REPLY_TOO_LARGE"


def test_input_that_is_not_read_does_no_harm(tmp_path):
    assert program(says({"result": 1}), tmp_path, {"long": "x" * 1_000_000}).result == 1


@pytest.mark.parametrize("how", ["TIMEOUT", "CANCELLED"])
def test_the_whole_group_ends_with_the_attempt(tmp_path, how):
    cancelled = threading.Event()
    if how == "CANCELLED":
        threading.Thread(
            target=lambda: cancelled.set() if soon((tmp_path / "child").exists) else None
        ).start()
    started = time.monotonic()
    reply = program(HANGS_WITH_A_CHILD, tmp_path, seconds=2 if how == "TIMEOUT" else 60, cancelled=cancelled)
    assert reply.fault.code == how
    assert time.monotonic() - started < 20
    child = int((tmp_path / "child").read_text())
    assert soon(lambda: not alive(child))


def test_a_child_in_the_background_is_not_waited_for(tmp_path):
    started = time.monotonic()
    child = program(FORGETS_A_CHILD, tmp_path, seconds=50).result
    assert time.monotonic() - started < 20
    assert soon(lambda: not alive(child))


def test_a_function_of_a_package_is_a_skill(tmp_path):
    """Its package is a folder with the metadata that an installer would write."""
    info = tmp_path / "mine-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[aos.skills]\nown = mine:double\nhttp_call = mine:double\ngone = none:f\ndata = os:name\n"
    )
    (tmp_path / "mine.py").write_text(
        "from aos.runtime.skills import Reply\n"
        "def double(params, call):\n"
        "    return Reply({'doubled': 2 * params['n'], 'attempt': call.attempt})\n"
    )
    source = """
import threading
from pathlib import Path
import aos
from aos.domain.runs.run import Place
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call
from aos.runtime.skills.registry import implementations, why_not
from aos.runtime.skills.world import World
shipped = aos.load_catalog().skills
found = implementations(
    [*(shipped["fs_read"]._replace(id=id) for id in ("own", "other", "gone", "data")), shipped["http_call"]],
    World(Path(), Secrets()),
)
call = Call("r", Place("s1"), 1, "k", 5, threading.Event())
print(sorted(found), found["own"]({"n": 21}, call).result)
print(found["http_call"]({"url": "http://10.0.0.1"}, call).fault.code)
print(*(why_not(id, World(Path(), Secrets())) for id in ("other", "gone", "data")), sep="; ")
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    told = subprocess.check_output([sys.executable, "-c", source], env=environment, text=True)
    found, refused, why = told.splitlines()
    assert (found, refused) == ("['http_call', 'own'] {'doubled': 42, 'attempt': 1}", "ADDRESS_REFUSED")
    assert why.split("; ") == [
        "there is neither a program nor an entry point for it",
        "its entry point can't be loaded: ModuleNotFoundError: No module named 'none'",
        "its entry point is no function",
    ]
