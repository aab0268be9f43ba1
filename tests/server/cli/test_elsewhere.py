"""`--server`: the same command, answered by a server, with its catalog and as whoever is logged in there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aos_server.app import application
from aos_server.services.tenants import Permissions, Terms
from tests.cli.process import DEMO, STEP, Finished, aos, inline
from tests.cli.schemas import faults
from tests.server.http.world import NO_RUNS, People
from tests.server.serve import serving

HOPELESS = inline(STEP, deadline_ms=1)


class Agents:
    """Where nothing is set for anybody but one agent, who may do nothing."""

    async def terms(self, tenant: str, agent: str | None, *, now: bool = False) -> Terms:
        nothing = (Permissions(frozenset({"*"})),) if agent == "rogue" else ()
        return Terms(tenant, permissions=nothing, agent=agent or "")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(application(People(), runs=NO_RUNS, trusting=True, tenants=Agents())) as url:
        yield url


def ask(server: str, home: Path, *words: str, **env: str) -> Finished:
    return aos(*words, "--server", server, env={"HOME": str(home), "AOS_KEYRING": "off", **env})


def test_a_forecast_is_the_same_there_as_here(server: str, tmp_path: Path) -> None:
    words = ("simulate", str(DEMO), "--budget", "100", "--samples", "2000", "--seed", "3", "--json")
    there, here = ask(server, tmp_path, *words).document, aos(*words).document
    for key in (
        "schema",
        "verdict",
        "chances",
        "estimated_cost_cents",
        "estimated_duration_ms",
        "digests",
        "exit_code",
    ):
        assert there[key] == here[key], key


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--plan", inline(STEP)], 0),
        (["--plan", HOPELESS], 3),
        (["--plan", HOPELESS, "--fail-on", "none"], 0),
        (["--plan", inline({**STEP, "approval": True}), "--fail-on", "infeasible,approval"], 8),
    ],
)
def test_the_verdict_is_the_exit_status(words: list[str], status: int, server: str, tmp_path: Path) -> None:
    done = ask(server, tmp_path, "simulate", *words, "--json")
    assert (done.status, done.document["exit_code"]) == (status, status)


@pytest.mark.parametrize(
    ("command", "status"),
    [(["simulate"], ["feasible", "permission_denied"]), (["policy", "eval"], ["allow", "deny"])],
)
def test_it_is_asked_for_the_agent_that_will_run_it(
    command: list[str], status: list[str], server: str, tmp_path: Path
) -> None:
    for agent, code, said in (("a1", 0, status[0]), ("rogue", 3, status[1])):
        done = ask(server, tmp_path, *command, "--plan", inline(STEP), "--agent", agent, "--json")
        assert (done.status, done.document.get("status", done.document.get("decision"))) == (code, said)
    here = aos("simulate", "--plan", inline(STEP), "--agent", "a1", "--json")
    assert (here.status, here.document["code"]) == (2, "usage")


def test_people_see_the_verdict_and_who_computed_it(server: str, tmp_path: Path) -> None:
    shown = ask(server, tmp_path, "simulate", "--plan", HOPELESS).text
    assert shown.startswith("INFEASIBLE")
    assert "deadline_exceeded" in shown
    assert server in shown


def test_people_see_whom_the_rules_there_wait_for(server: str, tmp_path: Path) -> None:
    writes = inline(STEP, {"skill": "fs_write", "params": {"path": "a", "content": "b"}})
    done = ask(server, tmp_path, "simulate", "--plan", writes, "--fail-on", "approval")
    assert done.status == 8
    assert "s2 waits for a person of level 2" in done.text


def test_an_invalid_plan_is_told_as_it_is_here(server: str, tmp_path: Path) -> None:
    words = ("simulate", "--plan", '[{"skill": "http_cal"}]', "--json")
    there, here = ask(server, tmp_path, *words), aos(*words)
    assert (there.status, there.document["code"]) == (here.status, here.document["code"])
    assert there.document["errors"] == here.document["errors"]


def test_a_query_is_answered_there(server: str, tmp_path: Path) -> None:
    words = ("query", "skills_available_for_goal", "--goal", "send a webhook")
    there, here = ask(server, tmp_path, *words, "--json").document, aos(*words, "--json").document
    assert there["result"] == here["result"]
    assert ask(server, tmp_path, *words).text == aos(*words).text
    nobody = ask(server, tmp_path, "query", "allowed_skills", "--json", AOS_API_KEY="x")
    assert (nobody.document["code"], nobody.status) == ("unauthenticated", 4)


def test_capabilities_are_told_as_the_server_has_them(server: str, tmp_path: Path) -> None:
    done = ask(server, tmp_path, "capabilities", "--json")
    assert (done.status, faults(done.document)) == (0, [])
    assert done.document["count"] == aos("capabilities", "--json").document["count"]
    assert done.document["server"] == server
    shown = ask(server, tmp_path, "capabilities").text
    assert "budget left: unknown" in shown
    assert "http_call" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["capabilities", "--state"],
        ["simulate", str(DEMO), "--catalog", "x.toml"],
        ["simulate", "--many"],
        ["query", "allowed_skills", "--budget", "1"],
    ],
)
def test_what_only_this_machine_can_do_is_a_wrong_usage(words: Any, server: str, tmp_path: Path) -> None:
    assert ask(server, tmp_path, *words, "--json").document["code"] == "usage"
