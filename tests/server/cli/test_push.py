"""`aos runs push`: what happened here is known there, once."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.server.processes import aos_server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with aos_server("dev", "--port", "0") as served:
        yield served.url


def test_runs_are_pushed_once_and_answer_questions_there(url: str, tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger.db")
    plan = json.dumps([{"skill": "json_transform", "params": {"query": "a", "input": {"a": 5}}}])
    env = {"HOME": str(tmp_path), "AOS_KEYRING": "off"}
    assert aos("run", "--plan", plan, "--ledger", ledger, "--json", env=env).status == 0
    words = ("runs", "push", "--server", url, "--agent", "a1", "--ledger", ledger)
    first = aos(*words, "--json", env=env)
    assert (first.status, faults(first.document)) == (0, [])
    assert first.document["count"] == 1
    again = aos(*words, "--json", env=env)
    assert again.document["runs"] == first.document["runs"]
    run = first.document["runs"][0]["run_id"]
    assert run in aos(*words, env=env).text
    kept = httpx.get(f"{url}/api/v1/runs").json()["runs"]
    assert [(one["run_id"], one["agent_id"], one["status"]) for one in kept] == [(run, "a1", "succeeded")]
    asked = {"query_type": "last_step_outcome", "run_id": run}
    last = httpx.post(f"{url}/api/v1/runtime/query", json=asked).json()["result"]
    assert (last["skill"], last["outcome"], last["step_outcome"]) == (
        "json_transform",
        "succeeded",
        "succeeded",
    )


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "AOS_KEYRING": "off"}
    missing = aos(
        "runs", "push", "--server", "http://127.0.0.1:9", "--ledger", str(tmp_path / "no.db"), env=env
    )
    assert missing.status == 5
    assert b"needs_ledger" in missing.err
