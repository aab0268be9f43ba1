"""`aos run --retry`, and what people tell of a run by hand: as it is typed, next commands as they are printed."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from aos.api.learning.records import load_recorded
from aos.wire.catalogs.read import default_catalog
from tests.cli.process import Finished, aos, inline
from tests.cli.run.running import (
    HANGS,
    Service,
    codes,
    get,
    names_of,
    ok,
    post,
    run,
    service,
    started,
    status,
)
from tests.cli.schemas import faults

__all__ = ["service"]

GONE = status(404)


def typed(folder: Path, command: str, *more: str) -> Finished:
    """What somebody gets who copies a command that was printed."""
    program, *words = shlex.split(command)
    assert program == "aos"
    return aos(*words, *more, cwd=folder)


def shown(folder: Path) -> Any:
    found = aos("runs", "show", "--ledger", "ledger.db", "--json", cwd=folder).document
    assert faults(found) == []
    return found


def whole(folder: Path) -> bool:
    """The ledger's chain holds, and its runs can be taken elsewhere and stay what they are."""
    for words in (["verify", "--ledger", "ledger.db"], ["verify", "--ledger", "other.db"]):
        if words[-1] == "other.db":
            lines = aos("runs", "export", "--ledger", "ledger.db", cwd=folder).out
            taken = aos("runs", "import", "-", "--ledger", "other.db", cwd=folder, stdin=lines)
            assert taken.status == 0, taken.err
        assert aos("ledger", *words, cwd=folder).status == 0
    there = aos("runs", "show", "--ledger", "other.db", "--json", cwd=folder).document
    return bool({**there, "ledger": ""} == {**shown(folder), "ledger": ""})


def test_a_failed_run_names_the_command_that_tries_it_again(service: Service, tmp_path: Path) -> None:
    service.script = [ok(), GONE]
    failed = run(tmp_path, "--plan", inline(post(service), get(service), post(service)), "--json")
    assert (failed.status, failed.document["tries"]) == (7, 1)
    command = failed.document["next_actions"][-1]
    assert command == f"aos run --retry {failed.document['run']} --allow-private --ledger ledger.db"
    refused = run(tmp_path, "--resume", failed.document["run"], "--json")
    assert (refused.status, refused.document["code"]) == (9, "run_conflict")
    assert command in refused.document["fix"]
    assert "--retry" in aos("runs", "show", "--ledger", "ledger.db", cwd=tmp_path).text
    score = shown(tmp_path)["score"]
    again = typed(tmp_path, command, "--json")
    assert faults(again.document) == []
    assert (again.status, again.document["status"], again.document["tries"]) == (0, "succeeded", 2)
    assert codes(again.document) == [("s1", None), ("s2", "HTTP_4XX"), ("s2", None), ("s3", None)]
    assert [one["try"] for one in again.document["attempts"]] == [1, 1, 2, 2]
    assert (service.count("POST"), service.count("GET")) == (2, 2)
    assert shown(tmp_path)["score"] == score  # of the first try: that was forecast
    listed = aos("runs", "list", "--ledger", "ledger.db", "--json", cwd=tmp_path).document
    assert (faults(listed), listed["runs"][0]["tries"]) == ([], 2)
    assert "try 2" in aos("runs", "list", "--ledger", "ledger.db", cwd=tmp_path).text
    over = typed(tmp_path, command, "--json")
    assert (over.status, over.document["code"]) == (9, "run_conflict")
    assert whole(tmp_path)
    records = load_recorded(tmp_path / "ledger.db", default_catalog()).records
    assert (list(records.attempt), list(records.failed)) == ([1, 1], [0, 1])


def test_a_try_that_is_killed_goes_on_where_it_was(service: Service, tmp_path: Path) -> None:
    service.script = [ok(), GONE, ok(), HANGS]
    plan = inline(post(service), get(service), post(service), get(service))
    failed = run(tmp_path, "--plan", plan, "--json")
    process = started(tmp_path, "--retry", failed.document["run"])
    service.wait_for(4)
    process.kill()
    process.communicate()
    (name,) = names_of(tmp_path)
    waits = run(tmp_path, "--resume", name, "--json")
    assert (waits.status, waits.document["cause"], waits.document["tries"]) == (10, "unknown_effect", 2)
    told = typed(
        tmp_path, waits.document["next_actions"][0].partition(" --committed,")[0], "--committed", "--json"
    )
    assert (told.status, faults(told.document)) == (0, [])
    done = typed(
        tmp_path, told.document["next_actions"][0].replace("--ledger", "--allow-private --ledger"), "--json"
    )
    assert (done.status, done.document["status"], done.document["cost"]["spent_cents"]) == (0, "succeeded", 0)
    assert (service.count("POST"), service.count("GET")) == (2, 3)
    assert whole(tmp_path)


def test_a_step_that_was_done_by_hand_is_not_done_and_later_steps_see_what_it_gave(
    service: Service, tmp_path: Path
) -> None:
    service.script = [GONE]
    later = {"skill": "json_transform", "params": {"query": "n", "input": "${steps.s1.output.body}"}}
    failed = run(tmp_path, "--plan", inline(post(service), later), "--json").document
    words = ["runs", "mark-done", failed["run"], "--step", "s1", "--ledger", "ledger.db", "--json"]
    needed = aos(*words, "--reason", "by mail", cwd=tmp_path)
    assert (needed.status, needed.document["code"]) == (2, "usage")
    assert "s2" in needed.document["detail"]
    result = json.dumps({"status": 200, "headers": {}, "body": {"n": 7}})
    marked = aos(*words, "--reason", "by mail", "--result", result, cwd=tmp_path)
    assert (marked.status, faults(marked.document)) == (0, [])
    assert marked.document["by_hand"]["reason"] == "by mail"
    done = run(tmp_path, "--retry", failed["run"], "--json")
    assert (done.status, service.count("POST")) == (0, 1)
    assert [step["outcome"] for step in done.document["steps"]] == ["succeeded", "succeeded"]
    assert done.document["steps"][1]["output"] == {"result": 7}
    (s1, _) = shown(tmp_path)["steps"]
    assert s1["by_hand"] == marked.document["by_hand"]
    assert "by mail" in aos("runs", "show", "--ledger", "ledger.db", cwd=tmp_path).text
    asked = aos("query", "last_step_outcome", "--step", "s1", "--ledger", "ledger.db", "--json", cwd=tmp_path)
    found = asked.document["result"]
    assert (found["outcome"], found["step_outcome"], found["run_status"]) == (
        "failed",
        "succeeded",
        "succeeded",
    )
    assert whole(tmp_path)


@pytest.mark.parametrize("reads", [False, True])
def test_what_took_effect_needs_a_result_only_where_others_see_it(
    reads: bool, service: Service, tmp_path: Path
) -> None:
    service.script = [HANGS]
    later = {"skill": "json_transform", "params": {"query": "n"}} if reads else get(service)
    process = started(tmp_path, "--plan", inline(post(service), later))
    service.wait_for(1)
    process.kill()
    process.communicate()
    (name,) = names_of(tmp_path)
    words = ["runs", "reconcile", name, "--step", "s1", "--committed", "--ledger", "ledger.db", "--json"]
    told = aos(*words, cwd=tmp_path)
    assert (told.status, told.document.get("code")) == ((2, "usage") if reads else (0, None))
    if reads:
        assert aos(*words, "--result", "null", cwd=tmp_path).status == 0
    assert shown(tmp_path)["spent_cents"] == 0  # its calls are free, however they end
