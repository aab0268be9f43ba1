"""`aos policy` and `aos simulate --policy` as processes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import DEMO, STEP, Finished, aos, clean, inline
from tests.cli.schemas import assert_unknowns_are_null, faults

WRITES = {"skill": "fs_write", "params": {"path": "a.txt", "content": "x"}}
MAIL = {"skill": "email_send", "params": {"to": "a@b.c", "subject": "s", "body": "b"}}
ANY = "permit (principal, action, resource);"


def rules(folder: Path, *texts: str) -> str:
    """A folder of rules, a file for each text."""
    place = folder / "policies"
    place.mkdir()
    for i, text in enumerate(texts):
        (place / f"{i}.cedar").write_text(text)
    return str(place)


def document(*words: str, status: int) -> dict[str, Any]:
    done = aos(*words, "--json")
    assert done.status == status, done.text
    assert faults(done.document) == []
    return done.document


def test_the_rules_that_ship_are_checked_and_shown() -> None:
    told = document("policy", "check", status=0)
    assert told["rules"][0]["id"] == "permitted-unless-forbidden"
    assert "8 rules, nothing wrong" in aos("policy", "check").text


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    place = rules(
        tmp_path, "permit (principal);", "allow;", f"{ANY}\n\npermit (principal, action, resource is Foo);"
    )
    problem = document("policy", "check", place, status=2)
    assert problem["code"] == "invalid_policy"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/0.cedar",
        "/1.cedar",
        "/2.cedar",
        "/2.cedar",
    ]
    assert problem["errors"][2]["detail"].startswith("2.cedar:3: ")


@pytest.mark.parametrize("place", ["nowhere", ".", "\x1b[2J"])
def test_where_no_rules_are(tmp_path: Path, place: str) -> None:
    done = aos("policy", "check", place, cwd=tmp_path)
    assert done.status == 2
    assert b"\x1b" not in done.err


def test_a_pipe_among_the_rules_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rules.cedar")
    assert "not a file" in aos("policy", "check", str(tmp_path)).err.decode()


@pytest.mark.parametrize(
    ("step", "status", "decision", "level"),
    [(STEP, 0, "allow", None), (WRITES, 8, "requires_approval", 2)],
)
def test_the_exit_status_is_the_decision(step: Any, status: int, decision: str, level: int | None) -> None:
    told = document("policy", "eval", "--plan", inline(step), status=status)
    assert (told["decision"], told["approval_level_required"]) == (decision, level)


def test_a_denial_names_the_fact_that_is_missing(tmp_path: Path) -> None:
    place = rules(tmp_path, '@id("cheap") permit (principal, action, resource) when '
                  "{ context has duration_p95_ms && context.duration_p95_ms <= 20 };")  # fmt: skip
    told = document("policy", "eval", str(DEMO), "--policy", place, status=3)
    assert told["rulings"][0]["missing"][0] == {
        "fact": "duration_p95_ms",
        "relation": "<=",
        "value": 20,
        "decision": "allow",
        "approval_level_required": None,
    }
    assert "allowed if duration_p95_ms <= 20" in aos("policy", "eval", str(DEMO), "--policy", place).text


def test_what_nobody_knows_is_no_fact(tmp_path: Path) -> None:
    unknown = inline({"skill": "llm_invoke", "params": {"prompt": "x", "model": "of-nobody"}})
    told = document("policy", "eval", "--plan", unknown, status=8)
    assert told["rulings"][0]["facts"]["cost_p95_cents"] is None
    assert (told["approval_level_required"], told["rulings"][0]["rules"][0]["id"]) == (3, "unpriced-needs-3")
    place = rules(tmp_path, "permit (principal, action, resource) unless { context has cost_p95_cents };")
    document("policy", "eval", "--plan", unknown, "--policy", place, status=0)


def test_simulate_says_which_approvals_are_needed(tmp_path: Path) -> None:
    forbid = (
        'forbid (principal, action == Aos::Action::"call", resource) '
        "when { context.destructive && context.approval_level < 4 };"
    )
    plan, place = inline(STEP, {**WRITES, "approval": 2}), rules(tmp_path, ANY, forbid)
    told = document("simulate", "--plan", plan, "--policy", place, status=0)
    assert (told["verdict"], told["policy"]["decision"]) == ("feasible", "requires_approval")
    assert told["approvals"] == [{"step": "s2", "pointer": "/steps/1", "level": 4}]
    assert_unknowns_are_null(told)
    assert aos("simulate", "--plan", inline(WRITES), "--policy", place, "--fail-on", "approval").status == 8


def test_a_wait_that_only_the_policy_asks_for_is_unknown(tmp_path: Path) -> None:
    place = rules(tmp_path, "permit (principal, action, resource) when { context.approval_level >= 2 };")
    told = document("simulate", "--plan", inline(STEP), "--policy", place, status=0)
    assert told["approvals"][0] == {"step": "", "pointer": "", "level": 2}
    assert told["forecast"]["elapsed_ms"] is None
    assert {entry["code"] for entry in told["unknowns"]} == {"unknown_wait"}
    assert (
        "the plan waits for a person of level 2"
        in aos("simulate", "--plan", inline(STEP), "--policy", place).text
    )


def test_what_is_denied_is_not_feasible(tmp_path: Path) -> None:
    place = rules(
        tmp_path,
        ANY,
        '@id("no") @reason("never") forbid (principal, action, resource == Aos::Skill::"fs_read");',
    )
    told = document("simulate", "--plan", inline(STEP), "--policy", place, status=3)
    assert (told["verdict"], told["status"]) == ("infeasible", "permission_denied")
    assert told["permission_gaps"] == [
        {"code": "permission_denied", "pointer": "/steps/0", "detail": "forbidden by no: never"}
    ]


def test_no_change_is_offered_that_the_rules_deny(tmp_path: Path) -> None:
    """They ask for nine successes in ten runs; to go on when the calls fail changes nothing about how often they do."""
    gambling = "forbid (principal, action, resource) unless { context has success_bp && context.success_bp >= 9000 };"
    place = rules(tmp_path, ANY, f'@id("no-gambling") {gambling}')
    plan = inline({"skill": "http_call", "params": {"url": "https://example.org"}, "iterations": 50})
    words = ("simulate", "--plan", plan, "--policy", place)
    offers = document(*words, status=3)["alternatives"]
    assert {offer["kind"] for offer in offers} == {"fewer_iterations"}
    for number, offer in enumerate(offers, 1):
        changed = aos(*words, "--apply", str(number)).out
        told = json.loads(aos("simulate", "-", "--policy", place, "--json", stdin=changed).out)
        assert (told["verdict"], told["policy"]["decision"]) == ("feasible", "allow")
        assert (told["chances"], told["approvals"]) == (offer["chances"], offer["approvals"])


def test_a_change_says_whom_it_would_wait_for(tmp_path: Path) -> None:
    place = rules(
        tmp_path,
        "permit (principal, action, resource) when { context.approval_level >= 3 };",
        "forbid (principal, action, resource) unless { context has success_bp && context.success_bp >= 9000 };",
    )
    plan = inline({"skill": "http_call", "params": {"url": "https://example.org"}, "iterations": 50})
    assert (
        "once a person of level 3 has approved it" in aos("simulate", "--plan", plan, "--policy", place).text
    )


def test_a_server_has_rules_of_its_own(tmp_path: Path) -> None:
    words = ("--server", "http://localhost:1", "--policy", str(tmp_path))
    assert aos("simulate", "--plan", inline(STEP), *words).status == 2


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder whose aos.toml names rules: nothing is written, and what sends mail is asked about."""
    rules(
        tmp_path,
        ANY,
        '@id("no-writes") forbid (principal, action, resource == Aos::Skill::"fs_write");',
        '@id("mail") forbid (principal, action, resource == Aos::Skill::"email_send") '
        "when { context.approval_level < 2 };",
    )
    (tmp_path / "aos.toml").write_text('policy = "policies"\n')
    (tmp_path / "any.cedar").write_text(ANY)
    return tmp_path


def test_each_of_many_plans_is_held_against_the_rules(project: Path) -> None:
    lines = "\n".join(json.dumps([step]) for step in (STEP, WRITES, MAIL)).encode()

    def answers(*words: str) -> list[tuple[str, str, int]]:
        done = aos("simulate", "--many", "--samples", "200", *words, cwd=project, stdin=lines)
        told = [json.loads(line) for line in done.out.splitlines()]
        assert [fault for document in told for fault in faults(document)] == []
        return [(one["status"], one.get("policy", {}).get("decision"), one["exit_code"]) for one in told]

    assert answers("--fail-on", "infeasible,approval") == [
        ("feasible", "allow", 0),
        ("permission_denied", "deny", 3),
        ("feasible", "requires_approval", 8),
    ]
    assert answers("--policy", "any.cedar") == [("feasible", "allow", 0)] * 3
    assert [one[0] for one in answers("--summary")] == ["feasible", "permission_denied", "feasible"]


def test_no_plan_that_the_rules_deny_is_handed_out(project: Path) -> None:
    for step, status in ((STEP, 0), (WRITES, 3), (MAIL, 0)):
        words = ("simulate", "--plan", inline(step), "--deadline", "1", "--apply", "1", "--json")
        done = aos(*words, cwd=project)
        assert (done.status, done.document.get("code")) == (status, "policy_denied" if status else None)
        assert aos(*words, "--policy", "any.cedar", cwd=project).status == 0
    assert aos("simulate", str(DEMO), "--apply", "99", "--json", cwd=project).document["code"] == "usage"


def test_a_run_goes_on_only_where_the_rules_still_allow_it(project: Path) -> None:
    (project / "a.txt").write_text("a")
    (project / "dear.json").write_text(json.dumps({"skills": {"fs_read": {"cost_cents": 3}}}))
    reads = {"skill": "fs_read", "params": {"path": "a.txt"}}
    words = ("--catalog", "dear.json", "--json", "--workspace", ".")
    begun = aos("run", "--plan", inline(reads, reads), "--budget", "4", "--force", *words, cwd=project)
    assert (begun.status, begun.document["cause"]) == (8, "budget")

    def again(*more: str) -> Finished:
        done = aos("run", "--resume", begun.document["run"], "--budget", "9", *words, *more, cwd=project)
        assert faults(done.document) == []
        return done

    (project / "policies" / "3.cedar").write_text(
        "forbid (principal, action, resource) when { context.approval_level < 2 };"
    )
    assert again().status == 8
    (project / "policies" / "3.cedar").write_text("forbid (principal, action, resource);")
    denied = again()
    assert (denied.status, denied.document["run"]) == (3, None)
    (project / "policies" / "3.cedar").write_text("forbid (")
    assert again().document["code"] == "invalid_policy"
    done = again("--policy", "any.cedar")
    assert (done.status, done.document["cost"]["spent_cents"]) == (0, 6)


def test_who_asks_matters_to_rules_alone() -> None:
    assert aos("simulate", "--plan", inline(STEP), "--agent", "a").status == 2


def test_without_the_engine_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "cedarpy.py").write_text("raise ImportError")
    paths = [str(tmp_path), clean().get("PYTHONPATH", "")]
    done = aos("policy", "check", "--json", env={"PYTHONPATH": ":".join(filter(None, paths))})
    assert (done.status, done.document["code"]) == (2, "policy_engine_missing")
    assert "pip install 'aos-plan[policy]'" in done.document["fix"]


def asked_first(level: int) -> str:
    return f"permit (principal, action, resource) when {{ context.approval_level >= {level} }};"


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize(
    ("text", "status", "why"),
    [
        ("forbid (principal, action, resource);", 3, "the rules deny it"),
        (asked_first(3), 8, "the rules ask for an approval of level 3"),
    ],
)
def test_what_rules_do_not_allow_is_not_run(
    tmp_path: Path, text: str, status: int, why: str, force: tuple[str, ...]
) -> None:
    words = ("run", "--plan", inline(WRITES), "--yes", *force, "--policy", rules(tmp_path, text))
    done = aos(*words, "--json", cwd=tmp_path)
    assert (done.status, faults(done.document)) == (status, [])
    assert (done.document["status"], done.document["run"]) == ("refused", None)
    assert done.document["detail"].startswith(why)
    assert not (tmp_path / "a.txt").exists()
    assert why in aos(*words, cwd=tmp_path).text
    assert aos("runs", "list", "--json", cwd=tmp_path).document["runs"] == []


def test_what_rules_allow_is_run(tmp_path: Path) -> None:
    done = aos(
        "run", "--plan", inline(WRITES), "--yes", "--json", "--policy", rules(tmp_path, ANY), cwd=tmp_path
    )
    assert (done.status, done.document["simulation"]["policy"]["decision"]) == (0, "allow")
    assert (tmp_path / "a.txt").read_text() == "x"


def test_rules_that_are_wrong_keep_a_plan_from_running(tmp_path: Path) -> None:
    words = ("run", "--plan", inline(WRITES), "--yes", "--json", "--policy", rules(tmp_path, "permit ("))
    done = aos(*words, cwd=tmp_path)
    assert (done.status, done.document["code"]) == (2, "invalid_policy")
    assert not (tmp_path / "a.txt").exists()


def test_the_rules_of_the_project_hold_in_its_folders(tmp_path: Path) -> None:
    rules(tmp_path, asked_first(2))
    (tmp_path / "aos.toml").write_text('policy = "policies"\n')
    below = tmp_path / "below"
    below.mkdir()
    run, simulated, said = (
        aos(*words, "--plan", inline(WRITES), "--json", cwd=below)
        for words in (("run", "--yes"), ("simulate",), ("policy", "eval"))
    )
    assert (run.status, simulated.status, said.status) == (8, 0, 8)
    assert simulated.document["policy"]["approval_level_required"] == 2
    other = rules(below, ANY)
    assert aos("run", "--plan", inline(WRITES), "--yes", "--policy", other, cwd=below).status == 0
