"""`aos run` as its users call it: a process, real skills, a service on this machine, a ledger on disk."""

import json
import os
import pty
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import STEP, aos, clean, command, inline
from tests.cli.run.running import HANGS, Service, codes, get, ok, post, run, service, status
from tests.cli.schemas import faults

__all__ = ["service"]


def test_a_plan_of_three_steps_runs_as_it_is_typed(service: Service, tmp_path: Path) -> None:
    """The query has its leading dot, both main inputs are left out, and the number becomes a text that chats take."""
    service.script = [status(503), ok(), ok()]
    plan = [
        {"skill": "http_call", "params": {"url": f"{service.url}/api"}},
        {"skill": "json_transform", "params": {"query": ".bitcoin.usd"}},
        {"skill": "webhook_send", "params": {"url": f"{service.url}/hook"}},
    ]
    done = run(tmp_path, "--plan", json.dumps(plan), "--budget", "100", "--json")
    document = done.document
    assert faults(document) == []
    assert (done.status, document["status"]) == (0, "succeeded")
    assert codes(document) == [("s1", "HTTP_5XX"), ("s1", None), ("s2", None), ("s3", None)]
    assert json.loads(service.server.received[-1].body) == {"text": "97000"}
    first = document["attempts"][0]["outcome"]
    assert first["failure"]["category"] == "TRANSIENT"
    assert first["failure"]["retryable"]
    assert document["steps"][0]["forecast"]["attempts"] >= 1


def test_what_a_person_sees_is_the_trace_on_stdout_and_the_progress_on_stderr(
    service: Service, tmp_path: Path
) -> None:
    service.script = [status(429, "Retry-After: 1\r\n"), ok()]
    done = run(tmp_path, "--plan", inline(get(service)))
    assert done.text.startswith("SUCCEEDED  0c, ")
    assert "forecast" in done.text
    told = done.err.decode().splitlines()
    assert told[0].startswith("running as ")
    assert "RATE_LIMITED" in told[1]
    assert "again in 1 s" in told[1]
    assert "ok in" in told[2]


def test_what_happens_can_be_read_line_by_line(service: Service, tmp_path: Path) -> None:
    service.script = [status(503), ok()]
    done = run(tmp_path, "--plan", inline(get(service)), "--events")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line.get("event", line["schema"]) for line in lines] == [
        *("run_started", "attempt_started", "attempt_ended", "retrying"),
        *("attempt_started", "attempt_ended", "step_ended", "run_ended", "aos.run/1"),
    ]
    assert [fault for line in lines for fault in faults(line)] == []
    assert done.err == b""


@pytest.mark.parametrize(
    ("more", "exit_code", "verdict"),
    [
        ({"deadline_ms": 1}, 3, "infeasible"),
        (
            {"steps": [{"skill": "fs_read", "params": {"path": "x"}, "for_each": "${steps.s0.output.body}"}]},
            5,
            "undetermined",
        ),
    ],
)
def test_what_is_not_feasible_is_not_run_unless_forced(
    more: dict[str, Any], exit_code: int, verdict: str, service: Service, tmp_path: Path
) -> None:
    steps = [get(service, id="s0"), *more.pop("steps", [])]
    plan = inline(*steps, **more)
    done = run(tmp_path, "--plan", plan, "--json")
    assert (done.status, done.document["status"], done.document["verdict"]) == (exit_code, "refused", verdict)
    assert faults(done.document) == []
    assert not service.server.received
    forced = run(tmp_path, "--plan", plan, "--json", "--force").document
    assert forced["forced"]
    assert service.count("GET") == 1


def test_a_skill_that_nothing_carries_out_is_found_before_the_first_step(
    service: Service, tmp_path: Path
) -> None:
    flags = dict.fromkeys(("read_only", "idempotent", "destructive", "reversible", "open_world"), True)
    skill = {
        "version": "1",
        "purpose": "?",
        "effects": flags,
        "failures": [],
        "latency_ms": 1,
        "cost_cents": 0,
    }
    (tmp_path / "c.json").write_text(json.dumps({"skills": {"paint": skill}}))
    done = run(tmp_path, "--plan", inline(get(service), {"skill": "paint"}), "--catalog", "c.json", "--json")
    assert (done.status, done.document["code"]) == (2, "not_implemented")
    assert [error["pointer"] for error in done.document["errors"]] == ["/steps/1/skill"]
    assert not service.server.received


def test_the_keys_that_skills_work_with_are_told_before_the_first_step(tmp_path: Path) -> None:
    plan = inline(
        {"skill": "fs_write", "params": {"path": "first.txt", "content": "x"}},
        {
            "skill": "webhook_send",
            "params": {"url": "http://127.0.0.1:9", "payload": {}, "sign_with": "signer"},
        },
        {"skill": "email_send", "params": {"to": ["a@b.example"], "subject": "s", "body": "b"}},
        {"skill": "llm_invoke", "params": {"prompt": "p", "model": "gpt-4o-mini"}},
    )
    settings = """
    [run]
    mail = {url = "smtp://me@127.0.0.1:9", from = "me@b.example"}
    chat = {url = "http://127.0.0.1:9", key = "openai"}
    """
    (tmp_path / "aos.toml").write_text(settings)
    done = run(tmp_path, "--plan", plan, "--json", "--force", env={"AOS_SECRET_SIGNER": "whsec_c2VjcmV0"})
    assert (done.status, done.document["code"]) == (2, "secret_missing")
    told = {error["pointer"]: error["detail"] for error in done.document["errors"]}
    assert list(told) == ["/steps/1", "/steps/2", "/steps/3"]
    assert told["/steps/1"].startswith('the secret "signer" (AOS_SECRET_SIGNER) is no signing key: ')
    assert "c2VjcmV0" not in str(done.document)
    assert "AOS_SECRET_SMTP_PASSWORD" in told["/steps/2"]
    assert not (tmp_path / "first.txt").exists()


def test_a_run_goes_on_only_where_the_secrets_of_what_is_left_are_there(tmp_path: Path) -> None:
    plan = inline(
        {"id": "first", "skill": "json_transform", "params": {"query": "@", "input": "${secrets.used}"}},
        {"id": "ask", "skill": "json_transform", "params": {"query": "@", "input": "y"}, "approval": True},
        {"id": "last", "skill": "json_transform", "params": {"query": "@", "input": "${secrets.needed}"}},
    )
    both = {"AOS_SECRET_USED": "12345", "AOS_SECRET_NEEDED": "67890"}
    paused = run(tmp_path, "--plan", plan, "--json", env=both).document
    assert paused["status"] == "paused"
    refused = run(tmp_path, "--resume", paused["run"], "--json")
    assert (refused.status, refused.document["code"]) == (2, "secret_missing")
    assert [error["pointer"] for error in refused.document["errors"]] == ["/steps/2/params/input"]
    shown = aos("runs", "show", "--ledger", "ledger.db", "--json", cwd=tmp_path).document
    assert shown["status"] == "paused"
    again = run(tmp_path, "--resume", paused["run"], "--json", env={"AOS_SECRET_NEEDED": "67890"}).document
    assert again["status"] == "paused"


def test_a_secret_that_is_not_there_is_told_before_the_first_step(tmp_path: Path) -> None:
    def write(name: str) -> dict[str, Any]:
        return {"skill": "fs_write", "params": {"path": "out.txt", "content": f"${{secrets.{name}}}"}}

    plan = inline(
        {"skill": "fs_write", "params": {"path": "first.txt", "content": "x"}}, write("none"), write("few")
    )
    env = {"AOS_SECRET_FEW": "abc"}
    done = run(tmp_path, "--plan", plan, "--json", env=env)
    assert (done.status, done.document["code"]) == (2, "secret_missing")
    pointers = [error["pointer"] for error in done.document["errors"]]
    assert pointers == ["/steps/1/params/content", "/steps/2/params/content"]
    assert not (tmp_path / "first.txt").exists()
    assert aos("runs", "list", "--ledger", "ledger.db", "--json", cwd=tmp_path).document["runs"] == []
    assert (
        run(
            tmp_path,
            "--plan",
            plan,
            "--json",
            env={**env, "AOS_SECRET_NONE": "s3cret", "AOS_SECRET_FEW": "four"},
        ).status
        == 0
    )


def test_secrets_that_others_can_read_are_refused_before_the_run_is_on_record(tmp_path: Path) -> None:
    (tmp_path / "aos.toml").write_text('[run]\nsecrets = "secrets.toml"\n')
    (tmp_path / "secrets.toml").write_text('token = "s3cret"\n')
    plan = inline({"skill": "fs_write", "params": {"path": "out.txt", "content": "${secrets.token}"}})
    (tmp_path / "secrets.toml").chmod(0o644)
    assert run(tmp_path, "--plan", plan, "--json").document["code"] == "invalid_config"
    assert aos("runs", "list", "--ledger", "ledger.db", "--json", cwd=tmp_path).document["runs"] == []
    (tmp_path / "secrets.toml").chmod(0o600)
    assert run(tmp_path, "--plan", plan, "--json").status == 0


def test_the_login_that_an_approval_is_asked_for_with_can_be_named(tmp_path: Path) -> None:
    here = {"XDG_CONFIG_HOME": str(tmp_path)}
    words = ("--plan", inline(STEP), "--approval", "r1", "--context", "nobody", "--json")
    refused = run(tmp_path, *words, env=here).document
    assert (refused["code"], refused["detail"]) == ("usage", 'there is no context "nobody"')


def test_failed_steps_are_status_7_and_what_may_have_happened_is_10(service: Service, tmp_path: Path) -> None:
    service.script = [status(404), status(500)]
    refused = run(tmp_path, "--plan", inline(post(service)), "--json")
    assert (refused.status, codes(refused.document)) == (7, [("s1", "HTTP_4XX")])
    in_doubt = run(tmp_path, "--plan", inline(post(service)), "--json")
    assert (in_doubt.status, codes(in_doubt.document)) == (10, [("s1", "HTTP_5XX")])
    assert service.count("POST") == 2


def test_a_budget_that_is_used_up_pauses_the_run_which_goes_on_with_more(
    service: Service, tmp_path: Path
) -> None:
    cost = {"skills": {"http_call": {"cost_cents": 3}}}
    (tmp_path / "dear.json").write_text(json.dumps(cost))
    words = ("--catalog", "dear.json", "--json")
    plan = inline(get(service), get(service), get(service))
    paused = run(tmp_path, "--plan", plan, "--budget", "7", "--force", *words)
    assert (paused.status, paused.document["cause"], paused.document["at"]) == (8, "budget", "s3")
    assert paused.document["cost"]["spent_cents"] == 6
    done = run(tmp_path, "--resume", paused.document["run"][:15], "--budget", "9", *words)
    assert (done.status, done.document["cost"]["spent_cents"]) == (0, 9)
    assert service.count("GET") == 3


def test_a_run_that_has_ended_is_not_resumed(service: Service, tmp_path: Path) -> None:
    document = run(tmp_path, "--plan", inline(get(service)), "--json").document
    again = run(tmp_path, "--resume", document["run"], "--json")
    assert (again.status, again.document["code"]) == (9, "run_conflict")
    assert again.document["detail"] == f"run {document['run']} has succeeded: nothing of it is left to do"
    nowhere = run(tmp_path, "--resume", "nothing", "--json")
    assert (nowhere.status, nowhere.document["code"]) == (2, "run_not_found")


def test_no_ledger_is_made_to_look_for_a_run_in(tmp_path: Path) -> None:
    nowhere = run(tmp_path, "--resume", "2026", "--json")
    assert (nowhere.status, nowhere.document["code"]) == (5, "needs_ledger")
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_resumed_only_under_the_contract_it_began_with(service: Service, tmp_path: Path) -> None:
    document = run(tmp_path, "--plan", inline(get(service, approval=True)), "--json").document
    (tmp_path / "other.json").write_text(json.dumps({"skills": {"http_call": {"version": "2"}}}))
    again = run(tmp_path, "--resume", document["run"], "--catalog", "other.json", "--json")
    assert (again.status, again.document["code"]) == (9, "run_conflict")
    assert "--catalog" in again.document["fix"]


# -- at a terminal -------------------------------------------------------------------------------------------------


def at_terminal(
    folder: Path, answers: Callable[[str], str | None], *words: str, term: str = "xterm"
) -> tuple[int, str]:
    """Run with a terminal: what is shown goes to `answers`, what they say is typed. Exit status, all that was shown."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        words = ("run", *words, "--ledger", "ledger.db", "--allow-private")
        os.execve(command()[0], command(*words), {**clean(), "TERM": term})
    shown = ""
    with suppress(OSError):
        while data := os.read(terminal, 4096):
            shown += data.decode("utf-8", "replace")
            if (answer := answers(shown.rpartition("\n")[2])) is not None:
                os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended), shown


def test_a_person_is_asked_before_what_cannot_be_undone(service: Service, tmp_path: Path) -> None:
    step = post(service)
    plan = inline({**step, "params": {**step["params"], "url": "${inputs.to}"}}, inputs={"to": service.url})
    asks = "Run them? [y/N] "
    said_no = at_terminal(tmp_path, lambda line: "n" if line.endswith(asks) else None, "--plan", plan)
    assert said_no[0] == 3
    assert not service.server.received
    assert f'  s1  http_call  {{"url": "{service.url}"' in said_no[1]
    said_yes = at_terminal(tmp_path, lambda line: "y" if line.endswith(asks) else None, "--plan", plan)
    assert said_yes[0] == 0
    unasked = at_terminal(tmp_path, lambda line: None, "--plan", plan, "--yes")
    assert unasked[0] == 0
    assert asks not in unasked[1]
    assert service.count("POST") == 2


def test_a_go_ahead_is_asked_for_and_without_anybody_the_run_pauses(service: Service, tmp_path: Path) -> None:
    step = get(service, approval=3, params={"url": f"{service.url}/a?${{inputs.of}}"})
    plan = inline(step, inputs={"of": "what is seen"})
    paused = run(tmp_path, "--plan", plan, "--json")
    assert (paused.status, paused.document["cause"], paused.document["at"]) == (8, "approval", "s1")
    name = paused.document["run"]

    def answer(line: str) -> str | None:
        return "yes" if line.endswith("[y/n/Later] ") else None

    status, shown = at_terminal(tmp_path, answer, "--resume", name)
    assert status == 0
    assert "level 3" in shown
    assert f"url  {service.url}/a?what is seen" in shown
    assert service.count("GET") == 1


def test_a_first_ctrl_c_is_answered_and_ends_the_run(service: Service, tmp_path: Path) -> None:
    service.script = [HANGS]
    keys = ["\x03"]

    def answer(line: str) -> str | None:
        return keys.pop() if keys and service.server.received else None

    status, shown = at_terminal(tmp_path, answer, "--plan", inline(get(service)))
    assert status == 130
    assert "stopping: what is under way has 2 s for it; once more ends it at once" in shown
    assert "CANCELLED" in shown


def test_a_terminal_that_writes_over_nothing_is_shown_lines(service: Service, tmp_path: Path) -> None:
    status, shown = at_terminal(tmp_path, lambda line: None, "--plan", inline(get(service)), term="dumb")
    assert status == 0
    assert "ok in" in shown
    assert "\x1b" not in shown


# -- skills of one's own, secrets --------------------------------------------------------------------------------


def test_a_program_named_in_the_settings_is_a_skill_and_its_secrets_stay_secret(tmp_path: Path) -> None:
    flags = dict.fromkeys(("read_only", "idempotent", "destructive", "reversible", "open_world"), True)
    skill = {
        "version": "1",
        "purpose": "?",
        "effects": flags,
        "failures": [],
        "latency_ms": 1,
        "cost_cents": 0,
    }
    (tmp_path / "c.json").write_text(json.dumps({"skills": {"echo": skill}}))
    (tmp_path / "echo.py").write_text("import json, sys; print(json.dumps({'result': json.load(sys.stdin)}))")
    words = json.dumps([sys.executable, "echo.py"])
    (tmp_path / "aos.toml").write_text(
        f'catalogs = ["c.json"]\n[run]\nsecrets = "s.toml"\ncommands = {{echo = {{words = {words}}}}}\n'
    )
    (tmp_path / "s.toml").write_text('token = "hush-hush"\n')
    (tmp_path / "s.toml").chmod(0o600)
    plan = inline({"skill": "echo", "params": {"said": "with ${secrets.token}"}})
    done = run(tmp_path, "--plan", plan, "--json")
    assert done.document["steps"][0]["output"] == {"said": "with [secret token]"}
    assert b"hush" not in (tmp_path / "ledger.db").read_bytes()
