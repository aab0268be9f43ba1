"""The card of a request: what somebody has to know before they say yes is on it, and what is over is told as over."""

from typing import Any

import pytest

from aos.report.approvals.card import Request, card
from tests.unit.report.approvals.requests import asked


def shown(request: Request, **changes: Any) -> str:
    return card(request._replace(document={**request.document, **changes}), 80, False)


def section(text: str, label: str) -> list[str]:
    """The lines beside a label."""
    _, _, rest = text.partition(f"\n{label.ljust(10)}")
    return [line.strip() for line in rest.partition("\n\n")[0].splitlines()]


def test_inputs_stand_on_it_whatever_reads_them() -> None:
    text = shown(asked("delete it all"))
    assert section(text, "inputs") == ["│ delete it all: delete it all"]
    assert section(text, "time")[1:] == ["deadline 1 min 30 s"]


@pytest.mark.parametrize("plan", ["named", "unnamed"])
def test_what_no_catalog_describes_can_be_looked_at(plan: str) -> None:
    """In development such a request is accepted: its steps have the names that somebody gave them, or none."""
    step = {"skill": "test_skill", "params": {"a": 1}} | ({"id": "one"} if plan == "named" else {})
    policy: dict[str, Any] = {"decision": "deny", "approval_level_required": None, "rulings": []}
    unforeseen = asked("x", level=3, changed=False)._replace(envelope=None)
    text = shown(unforeseen, forecast=None, policy=policy, plan={"aos_plan": "1", "steps": [step]})
    assert section(text, "what")[1:] == ["one test_skill" if plan == "named" else "s1 test_skill", "│ a: 1"]
    assert section(text, "policy") == [
        "can't judge what nobody can foresee  policy cdcdcdcd",
        "takes level 3: asked for, escalated, or nobody can foresee it",
    ]


def test_what_the_rules_ask_for_is_told_from_what_people_asked_for() -> None:
    policy = {"approval_level_required": 2, "rulings": []}
    assert section(shown(asked("x", level=4), policy=policy), "policy")[0].startswith("asks for level 2")
    assert "takes level 4" in section(shown(asked("x", level=4), policy=policy), "policy")[1]
    assert len(section(shown(asked("x", level=4)), "policy")) == 1


def test_an_end_that_has_come_is_not_told_as_one_to_come() -> None:
    decided = {"status": "rejected", "decided_at": "2026-11-26T04:59:00+00:00"}
    text = shown(asked("x"), **decided)
    assert "rejected 1 min ago" in text.splitlines()[0]
    assert "expires" not in text
    grant = {**decided, "status": "approved", "grant_expires_at": "2026-11-26T04:59:30+00:00"}
    assert section(shown(asked("x"), **grant), "until") == [
        "asked 1 h ago, approved 1 min ago",
        "the approval ended 30 s ago; 0 of 1 use made",
    ]
    assert "expires in 23 h" in shown(asked("x")).splitlines()[0]


def test_each_use_of_a_grant_and_what_became_of_a_broken_glass() -> None:
    use = {"run_id": "r1", "consumed_by": "ann", "at": "2026-11-26T04:58:00+00:00"}
    text = shown(asked("x"), consumptions=[use, {**use, "run_id": None}], uses=3, used=2)
    assert section(text, "until")[1:] == ["used 2 min ago by run r1, ann", "used 2 min ago, ann"]
    assert section(text, "cost")[1:] == ["each time: it may be used 3 times"]
    assert section(text, "votes")[-2:] == ["eve: reviewed it, justified", "│ x"]
    unseen = shown(asked("x"), reviewed={"outcome": None, "reviewed_by": None, "reason": None})
    assert section(unseen, "votes")[-1] == "nobody has reviewed that yet"


def test_who_asks_is_told_as_the_digest_has_it_and_of_a_key_whose_it_is() -> None:
    assert section(shown(asked("x"), requested_by="eve"), "who") == ["ann, tenant acme"]
    key = {"issuer": "urn:aos:service-key", "subject": "a" * 16, "owner": {"issuer": "i", "subject": "bob"}}
    assert section(shown(asked("x"), requester=key), "who") == [
        "bob, tenant acme",
        f"by the service key {'a' * 16}",
    ]


def test_an_empty_reason_takes_one_line() -> None:
    assert section(shown(asked("x"), justification=""), "why") == ["│ (nothing)"]
