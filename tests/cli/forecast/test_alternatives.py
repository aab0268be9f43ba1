"""Every alternative that is printed, applied as a user would, gives what it promised."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aos.domain.forecasts.alternatives import Operation
from tests.cli.process import ROOT, STEP, Finished, aos, inline
from tests.cli.schemas import faults
from tests.property.forecasts.patches import patched

# An example, the options it is simulated with, and the kinds of change that are offered at least.
OFFERS = [
    ("btc-to-slack/plan.json", "--deadline 1s", {"move_deadline"}),
    ("research-fan-out/plan.yaml", "--budget 1", {"raise_budget", "change_model"}),
    ("research-fan-out/plan.yaml", "--budget 1 --deadline 4s", {"raise_both"}),
    ("research-fan-out/plan.yaml", "--alternatives", {"change_model"}),
    ("unknown-price/plan.toml", "", {"change_model"}),
    ("unknown-price/plan.toml", "--budget 20", {"declare", "change_model"}),
]


def simulated(*words: str, stdin: bytes = b"") -> dict[str, Any]:
    document = aos("simulate", *words, "--json", stdin=stdin).document
    assert document["schema"] == "aos.simulation/1"
    assert faults(document) == []
    return document


@pytest.mark.parametrize(
    ("example", "options", "kinds"), OFFERS, ids=[f"{example} {options}" for example, options, _ in OFFERS]
)
def test_what_is_offered_keeps_its_promise(example: str, options: str, kinds: set[str]) -> None:
    words = [str(ROOT / "examples/plans" / example), *options.split()]
    offers = simulated(*words)["alternatives"]
    assert kinds <= {offer["kind"] for offer in offers}
    for number, offer in enumerate(offers, 1):
        applied = aos("simulate", *words, "--apply", str(number))
        if offer["declares"] or offer["catalog_changes"]:
            assert applied.status == 2
            continue
        assert (applied.status, applied.err) == (0, b"")
        assert_promised(offer, simulated("-", stdin=applied.out))
        if all(operation["path"].count("/") == 1 for operation in offer["patch"]):
            flags = " ".join(offer["flags"]).split()
            assert_promised(offer, simulated(words[0], *_without(options, flags), *flags))


def assert_promised(offer: dict[str, Any], document: dict[str, Any]) -> None:
    assert document["verdict"] == offer["verdict"] == "feasible"
    assert document["chances"] == offer["chances"]
    for figure in ("cost_cents", "duration_ms"):
        spread = document["forecast"][figure]
        assert offer[figure] == {level: spread[level]["value"] for level in ("p50", "p95")}


def test_the_patch_does_what_apply_does() -> None:
    """On the plan as `aos plan fmt` prints it; a single iteration needs no key, so that one is removed."""
    sends = {"skill": "email_send", "params": {"to": "a@b.c", "subject": "s", "body": "b"}, "iterations": 5}
    words = ("--plan", inline(sends, budget=1.5))
    normal, operations = _plan(aos("plan", "fmt", *words)), set()
    for number, offer in enumerate(simulated(*words)["alternatives"], 1):
        operations |= {operation["op"] for operation in offer["patch"]}
        patch = tuple(Operation(**operation) for operation in offer["patch"])
        assert patched(normal, patch) == _plan(aos("simulate", *words, "--apply", str(number)))
    assert operations == {"replace", "remove"}


def _without(options: str, flags: list[str]) -> list[str]:
    """The options, as pairs, less those that the flags set anew."""
    words = options.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return [word for pair in pairs if pair[0] not in flags for word in pair]


def test_an_applied_plan_keeps_what_its_author_noted() -> None:
    slow = inline({**STEP, "id": "a", "x-owner": "me"}, deadline_ms=1, **{"x-team": "us"})
    plan = _plan(aos("simulate", "--plan", slow, "--apply", "1"))
    assert (plan["x-team"], plan["steps"][0]["x-owner"]) == ("us", "me")
    assert plan["deadline_ms"] > 1


def test_an_applied_plan_has_the_limits_it_was_judged_by() -> None:
    plan = _plan(
        aos("simulate", "--plan", inline(STEP), "--budget", "5", "--deadline", "1ms", "--apply", "1")
    )
    assert plan["budget"] == 5
    assert plan["deadline_ms"] > 1
    assert isinstance(plan["deadline_ms"], int)


def test_as_a_document_it_is_that_of_a_formatted_plan() -> None:
    done = aos("simulate", "--plan", inline(STEP), "--deadline", "1ms", "--apply", "1", "--json")
    assert faults(done.document) == []
    assert done.document["schema"] == "aos.plan/1"


@pytest.mark.parametrize("number", ["0", "2", "-1"])
def test_those_there_are_are_named(number: str) -> None:
    done = aos("simulate", "--plan", inline(STEP), "--deadline", "1ms", "--apply", number, "--json")
    assert done.document["code"] == "usage"
    assert f"no alternative {number}; choose from 1: deadline" in done.document["detail"]


def test_a_feasible_plan_has_none_to_apply() -> None:
    done = aos("simulate", "--plan", inline(STEP), "--apply", "1")
    assert done.status == 2
    assert b"none was found" in done.err


def test_it_is_said_whether_they_are_sought() -> None:
    late = ("--plan", inline(STEP), "--deadline", "1ms")
    assert simulated(*late)["alternatives"]
    assert simulated(*late)["alternatives_search"] == "found"
    assert simulated(*late, "--no-alternatives")["alternatives"] == []
    assert simulated(*late, "--no-alternatives")["alternatives_search"] == "off"
    assert simulated("--plan", inline(STEP))["alternatives_search"] == "not_needed"
    assert simulated("--plan", inline(STEP), "--alternatives")["alternatives_search"] == "found_none"
    assert b"--apply 1" in aos("simulate", *late).out


def test_a_limit_that_others_would_have_to_raise(tmp_path: Path) -> None:
    known = tmp_path / "limits.toml"
    known.write_text('aos_catalog = "1"\n[skills.fs_read]\nrate_limit = {per_minute = 6, burst = 1}\n')
    reads = {**STEP, "for_each": [*range(20)]}
    words = ("--plan", inline(reads), "--deadline", "50s", "--min-success", "0.1")
    document = simulated(*words, "--catalog", str(known))
    (late,) = document["reasons"]
    assert re.search(r"; of their time runs wait 9\d(\.\d)? % for the rate limit of fs_read$", late["detail"])
    (offer,) = (offer for offer in document["alternatives"] if offer["kind"] == "raise_rate_limit")
    (change,) = offer["catalog_changes"]
    assert (change["pointer"], change["now"]) == ("/skills/fs_read/rate_limit/per_minute", 6)
    assert (offer["patch"], offer["flags"]) == ([], [])
    spent = max(document["attribution"]["time"], key=lambda part: part["share"])
    assert (spent["what"], spent["name"]) == ("rate_limit", "fs_read")
    text = aos("simulate", *words, "--catalog", str(known)).out.decode()
    assert "% waits for the rate limit of fs_read" in text
    assert f"fs_read: {change['needs']} calls a minute instead of 6" in text

    number = str(document["alternatives"].index(offer) + 1)
    refused = aos("simulate", *words, "--catalog", str(known), "--apply", number, "--json").document
    assert "is no change of the plan, but of what others allow" in refused["detail"]
    known.write_text(known.read_text().replace("= 6", f"= {change['needs']}"))
    assert simulated(*words, "--catalog", str(known))["verdict"] == "feasible"


def test_the_secrets_that_it_names_are_listed_and_not_looked_up() -> None:
    hook = {
        "skill": "webhook_send",
        "params": {"url": "https://${secrets.host}/${secrets.path}", "payload": {}},
    }
    mail = {"skill": "email_send", "params": {"to": "a@b.c", "subject": "s", "body": "${secrets.path}"}}
    words = ("--plan", inline(hook, mail))
    assert simulated(*words)["secrets"] == [
        {"name": "host", "pointers": ["/steps/0/params/url"]},
        {"name": "path", "pointers": ["/steps/0/params/url", "/steps/1/params/body"]},
    ]
    assert b"\nneeds     the secrets host, path, looked for when it runs\n" in aos("simulate", *words).out
    assert simulated("--plan", inline(STEP))["secrets"] == []


def test_shares_add_up_and_name_where_to_begin() -> None:
    document = simulated(str(ROOT / "examples/plans/research-fan-out/plan.yaml"))
    steps = document["attribution"]["steps"]
    for share in ("cost_share", "time_share", "failure_share", "over_budget_share", "late_share"):
        assert sum(step[share] for step in steps) == pytest.approx(1, abs=1e-4)
    fix = document["attribution"]["fix"]
    assert fix["share"] == max(step["failure_share"] for step in steps)


def test_where_nobody_can_tell_it_is_said_what_would() -> None:
    unpriced = {"skill": "llm_invoke", "params": {"prompt": "?", "model": "nobody/knows"}}
    words = ("--plan", inline(unpriced, budget=5))
    evidence = simulated(*words)["evidence"]
    assert (evidence[0]["why"], evidence[0]["skill"], evidence[0]["runs"]) == ("unknown", "llm_invoke", 59)
    assert b"\nevidence  no price is known for model" in aos("simulate", *words).out


def _plan(done: Finished) -> dict[str, Any]:
    assert done.status == 0, done.err
    plan = json.loads(done.out)
    assert isinstance(plan, dict)
    return plan
