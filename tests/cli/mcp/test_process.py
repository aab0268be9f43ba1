"""What surrounds a conversation with `aos mcp`: hostile lines, calls at once, calls given up, how it ends."""

import json
import shlex
import signal
import sys
from pathlib import Path

import pytest

from aos.mcp.messages import MAX_MESSAGE
from aos.mcp.tools import ALWAYS
from tests.cli.mcp.raw import Talk, talk
from tests.cli.process import DEMO, ROOT, STEP, aos, clean
from tests.cli.schemas import faults

PLAN = json.loads(DEMO.read_text())
LARGE = json.loads((ROOT / "examples/plans/hundred-steps/plan.json").read_text())
CALL = (
    '{"jsonrpc":"2.0","id":"%s","method":"tools/call","params":{"name":"check_plan","arguments":{"plan":%s}}}'
)


def test_a_whole_conversation_with_somebody_hostile() -> None:
    with talk() as begun:
        _hostile(begun)
        _at_once(begun)
        _given_up(begun)
        late = begun.begin_call("simulate_plan", {"plan": LARGE, "samples": 160_000, "deadline_ms": 1})
        status, out, err = begun.ended()
        assert (status, err) == (0, b"")
        (last,) = [json.loads(line) for line in out.splitlines()]
        assert (last["id"], last["error"]["message"]) == (late, "Connection closed")


def _hostile(begun: Talk) -> None:
    """Each line is answered, whoever can be told; those that are calls as calls, so that a model sees what is wrong."""
    deep = "[" * 40 + "]" * 40
    for number, plan in enumerate(('[{"skill":"a","skill":"b"}]', "[NaN]", "[1e400]", '["\\ud800"]', deep)):
        begun.send((CALL % (number, plan)).encode())
        result = begun.answer(str(number))["result"]
        assert result["isError"]
        assert faults(result["structuredContent"]) == []
        assert result["structuredContent"]["errors"][0]["pointer"].startswith("/params/arguments/plan")
    for line in (b"what?", b"[]", b"\xff", b'{"jsonrpc":"2.0","id":1', b"x" * (MAX_MESSAGE + 1)):
        begun.send(line)
        error = begun.answer(None)["error"]
        assert error["code"] == -32700
        assert faults(error["data"]) == []
    for line in (b'{"id": 77}', b'{"jsonrpc": "1.0", "id": 77, "method": "ping"}'):
        begun.send(line)
        assert begun.answer(77)["error"]["code"] == -32600
    begun.send(b"")
    assert begun.ask("ping", {})["result"] == {}
    assert "error" in begun.ask("tools/approve", {})


def _at_once(begun: Talk) -> None:
    """Calls that are worked on together say what they say alone."""
    asked = [{"plan": PLAN, "seed": seed, "samples": 2_000} for seed in (1, 2, 1)]
    numbers = [begun.begin_call("simulate_plan", arguments) for arguments in asked]
    first, other, again = (begun.answer(number)["result"]["structuredContent"] for number in numbers)
    assert first == again != other
    assert first == aos("simulate", str(DEMO), "--seed", "1", "--samples", "2000", "--json").document


def _given_up(begun: Talk) -> None:
    """A call that was cancelled is not answered, and the next one is; progress is told to who asks for it."""
    given_up = begun.begin_call(
        "simulate_plan", {"plan": LARGE, "samples": 160_000, "deadline_ms": 1}, progressToken="p"
    )
    while (told := begun.next()).get("method") != "notifications/progress":
        pass
    assert told["params"]["progressToken"] == "p"
    assert told["params"]["message"].endswith("runs simulated")
    begun.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": given_up}})
    assert begun.call("explain_code", {"code": "usage"})["isError"] is False
    assert {one["params"]["progressToken"] for one in begun.told} <= {"p"}


def test_a_client_that_reads_nothing_keeps_nobody_waiting() -> None:
    with talk() as begun:
        for _ in range(100):  # more than a pipe holds
            begun.begin_call("list_skills", {})
        begun.process.send_signal(signal.SIGTERM)
        assert begun.process.wait(60) == 143


def test_a_client_that_can_be_told_nothing_has_gone() -> None:
    with talk() as begun:
        assert begun.process.stdout
        begun.process.stdout.close()
        begun.begin("ping", {})
        assert begun.process.wait(60) == 0


def test_what_keeps_it_from_starting_is_a_problem(tmp_path: Path) -> None:
    for words, code in (
        ("--allow-run", "usage"),
        ("--budget 5", "usage"),
        ("--catalog nowhere.json", "unreadable"),
        ("--print-config emacs", "usage"),
    ):
        done = aos("mcp", *words.split(), "--json", cwd=tmp_path)
        assert (done.status, done.document["code"]) == (2, code)


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    """As where the extra was left out: Python finds no `mcp`."""
    code = "import importlib.util as u\nf = u.find_spec\n"
    code += "u.find_spec = lambda name, *more: None if name == 'mcp' else f(name, *more)\n"
    done = aos("mcp", "--json", env=_as_it_starts(tmp_path, code))
    assert (done.status, done.document["code"]) == (2, "mcp_missing")
    assert done.document["fix"] == "pip install 'aos-plan[mcp]'"


@pytest.mark.parametrize("client", ["claude", "cursor", "vscode"])
def test_a_client_starts_it_as_it_is_printed(client: str, tmp_path: Path) -> None:
    config = aos("mcp", "--print-config", client, "--agent", "a", cwd=tmp_path).text
    (servers,) = json.loads(config).values()
    assert servers["aos"]["args"][-3:] == ["mcp", "--agent", "a"]
    assert Path(servers["aos"]["command"]).is_absolute()


def test_it_needs_no_home_writes_nothing_and_ends_at_ctrl_c_though_its_input_is_open(tmp_path: Path) -> None:
    """What anything in the process prints does not get between the messages."""
    (tmp_path / "here").mkdir()
    with talk(
        cwd=tmp_path / "here", env=_as_it_starts(tmp_path, "import atexit; atexit.register(print, 'noise')")
    ) as begun:
        assert begun.call("check_plan", {"plan": [STEP]})["structuredContent"]["ok"] is True
        assert begun.ended(by=signal.SIGINT) == (130, b"", b"noise\n")
    assert list((tmp_path / "here").iterdir()) == []


def _as_it_starts(folder: Path, code: str) -> dict[str, str]:
    """An environment in which Python runs `code` first."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": f"{folder}:{clean().get('PYTHONPATH', ROOT / 'src')}"}


def test_a_server_that_is_started_tells_its_tools(tmp_path: Path) -> None:
    """Its figures become those of skills; what it does not say stays unknown, and the worst is assumed."""
    started = shlex.join([sys.executable, "-m", "aos", "mcp"])
    words = ["catalog", "import", "--from-command", started, "--json"]
    skills = aos(*words, cwd=tmp_path).document["catalog"]["skills"]
    assert list(skills) == [tool.name for tool in ALWAYS]
    assert (skills["simulate_plan"]["cost_cents"], "latency_ms" in skills["simulate_plan"]) == (0, False)
    assert skills["simulate_plan"]["effects"]["read_only"] is True


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--from-command", "true"], "unreadable"),
        (["--from-command", "'"], "usage"),
        (["--from-command", " "], "usage"),
        (["tools.json", "--from-command", "true"], "usage"),
        ([], "usage"),
    ],
)
def test_a_server_that_can_not_be_asked_is_a_problem(words: list[str], code: str, tmp_path: Path) -> None:
    done = aos("catalog", "import", *words, "--json", cwd=tmp_path)
    assert (done.status, done.document["code"]) == (2, code)
