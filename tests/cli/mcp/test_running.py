"""`aos mcp --allow-run`: plans are run by the rules of `aos run`, for no more than was allowed, and never approved."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aos.api.running.runs import listed, show
from aos.mcp.setup import Purse, Runs, Setup
from aos.mcp.tools import ALL, tools_of
from tests.cli.mcp.raw import Talk, talk
from tests.cli.process import STEP, aos
from tests.cli.run.running import HANGS, Service, get, service
from tests.cli.schemas import faults

__all__ = ["service"]

WRITE = {"id": "w", "skill": "fs_write", "params": {"path": "out.txt", "content": "x"}}
PAY = {"skill": "pay"}
CATALOG = {
    "aos_catalog": "1",
    "skills": {
        "pay": {
            "version": "1",
            "purpose": "Costs 2c",
            "effects": dict.fromkeys(
                ("read_only", "idempotent", "destructive", "reversible", "open_world"), False
            ),
            "cost_cents": 2,
            "latency_ms": 10,
            "failures": [],
        }
    },
}


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Talk]:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "catalog.json").write_text(json.dumps(CATALOG))
    (tmp_path / "pay.py").write_text("print('{\"result\": 1}')\n")
    program = json.dumps([sys.executable, "pay.py"])
    (tmp_path / "aos.toml").write_text(
        f'catalogs = ["catalog.json"]\n[run]\ncommands = {{pay = {{words = {program}}}}}\n'
    )
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/p.cedar").write_text(
        'permit(principal, action, resource);\nforbid(principal, action, resource == Aos::Skill::"fs_read");\n'
    )
    words = ["--allow-run", "--budget", "7.5", "--ledger", "ledger.db", "--allow-private"]
    with talk(*words, cwd=tmp_path) as begun:
        yield begun


def test_a_session_that_may_run(begun: Talk, tmp_path: Path, service: Service) -> None:
    """A run, one that waits, others that are refused, one that is given up, and one in which the session ends."""
    tool = begun.ask("tools/list", {})["result"]["tools"][-1]
    assert (tool["name"], tool["annotations"]) == (
        "run_plan",
        {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True},
    )

    done = begun.call("run_plan", {"plan": [STEP, WRITE]})
    assert (done["isError"], done["structuredContent"]["status"]) == (False, "succeeded")
    assert faults(done["structuredContent"]) == []
    assert (tmp_path / "out.txt").read_text() == "x"

    _waits_for_a_person(begun, tmp_path)
    _costs_no_more_than_was_allowed(begun)
    _denies_what_the_rules_deny(begun, tmp_path)

    service.script = [HANGS, HANGS]
    given_up = begun.begin_call("run_plan", {"plan": [get(service)], "budget_cents": 0})
    service.wait_for(1)
    begun.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": given_up}})
    begun.begin_call("run_plan", {"plan": [get(service)], "budget_cents": 0})
    service.wait_for(2)
    status, _, err = begun.ended(by=signal.SIGTERM)
    assert (status, err) == (143, b"")
    statuses = sorted(line.status for line in listed(tmp_path / "ledger.db", limit=9))
    assert statuses == ["cancelled", "cancelled", "paused", "succeeded", "succeeded"]
    assert aos("ledger", "verify", "--ledger", "ledger.db", cwd=tmp_path).status == 0


def _waits_for_a_person(begun: Talk, folder: Path) -> None:
    waits = begun.call("run_plan", {"plan": [STEP, {**WRITE, "approval": True}], "budget_cents": 3})
    told = waits["structuredContent"]
    assert (told["status"], told["cause"], told["exit_code"]) == ("paused", "approval", 8)
    command = f"aos run --resume {told['run']} --ledger ledger.db --allow-private"
    assert command in " ".join(told["next_actions"])
    assert "A person does" in waits["content"][0]["text"]
    for tool in ("approve", "reject", "resume_run"):
        assert "error" in begun.ask("tools/call", {"name": tool, "arguments": {"run": told["run"]}})
    sneaky = begun.call("run_plan", {"plan": [STEP], "resume": told["run"]})
    assert sneaky["structuredContent"]["code"] == "invalid_arguments"
    assert show(folder / "ledger.db", told["run"]).state.status == "paused"


def _costs_no_more_than_was_allowed(begun: Talk) -> None:
    """A run that waits keeps the 3c that it may still use: 4.5 of 7.5 are left, whatever is asked for."""
    here = begun.call("capabilities", {})["structuredContent"]
    assert (here["run_budget_cents"], here["run_budget_left_cents"]) == (7.5, 4.5)
    refused = begun.call("run_plan", {"plan": [PAY] * 3, "budget_cents": 1_000})["structuredContent"]
    assert (refused["status"], refused["reasons"][0]["code"]) == ("refused", "budget_insufficient")
    paid = begun.call("run_plan", {"plan": [PAY] * 2})["structuredContent"]
    assert (paid["status"], paid["cost"]["spent_cents"], paid["cost"]["budget_cents"]) == (
        "succeeded",
        4,
        4.5,
    )
    assert begun.call("capabilities", {})["structuredContent"]["run_budget_left_cents"] == 0.5
    assert begun.call("run_plan", {"plan": [PAY]})["structuredContent"]["status"] == "refused"


def _denies_what_the_rules_deny(begun: Talk, folder: Path) -> None:
    settings = folder / "aos.toml"
    before = settings.read_text()
    settings.write_text(f'policy = "policies"\n{before}')
    denied = begun.call("run_plan", {"plan": [STEP]})
    told = denied["structuredContent"]
    assert (told["status"], told["run"], told["exit_code"]) == ("refused", None, 3)
    assert "the rules deny it" in denied["content"][0]["text"]
    assert begun.call("simulate_plan", {"plan": [STEP]})["structuredContent"]["status"] == "permission_denied"
    settings.write_text(before)


def test_killed_in_the_middle_the_attempt_is_unknown(begun: Talk, tmp_path: Path, service: Service) -> None:
    service.script = [HANGS]
    begun.begin_call("run_plan", {"plan": [get(service)]})
    service.wait_for(1)
    begun.process.kill()
    begun.process.wait()
    (line,) = listed(tmp_path / "ledger.db", limit=9)
    assert (line.status, line.interrupted) == ("running", True)
    assert show(tmp_path / "ledger.db", line.id).state.attempts[0].outcome is None


def test_no_tool_approves_whatever_is_allowed() -> None:
    """Invariant 2: an agent can't decide, not even with everything that can be allowed."""
    most = Setup(runs=Runs(Purse(1)), server="http://127.0.0.1:1")  # type: ignore[arg-type]
    names = set(tools_of(most))
    assert names == {tool.name for tool in ALL}
    assert names - set(tools_of(Setup())) == {"run_plan", "request_approval", "request_status"}
    for tool in ALL:
        words = {tool.name, *tool.input_schema["properties"]}
        assert not words & {"approve", "reject", "decide", "confirm", "force", "yes", "level", "approver_id"}
