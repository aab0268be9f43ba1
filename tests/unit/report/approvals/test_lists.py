"""Requests in a table: each is called what people call it, and nobody's name is taken for another thing."""

from datetime import datetime
from typing import Any

import pytest

from aos.report.approvals import card, lists

NOW = datetime.fromisoformat("2026-11-26T04:00:34.4+00:00")


def line(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "request_id": "0b44a8bd-8e6a-4c4e-9b9b-0f6a3b6ad1c1",
        "status": "pending",
        "skill_id": None,
        "plan_name": "weekly report",
        "requested_by": "ann",
        "requester": {"issuer": "https://login.example", "subject": "ann", "owner": None},
        "required_level": 3,
        "min_approvals": 1,
        "approvals": 0,
        "created_at": "2026-11-26T04:00:00+00:00",
        "expires_at": "2026-11-27T04:00:00+00:00",
        "decided_at": None,
        "grant_expires_at": None,
    }
    return {**document, **changes}


def shown(*requests: dict[str, Any]) -> list[str]:
    document = {"requests": requests, "server": "http://127.0.0.1:8000"}
    return [" ".join(row.split()) for row in lists.requests(document, NOW, 100, False).splitlines()[2:]]


def test_a_plan_is_called_by_its_name_and_a_call_by_its_skill() -> None:
    found = shown(
        line(), line(plan_name=None), line(plan_name="fs_write"), line(skill_id="fs_write", plan_name=None)
    )

    assert found[0] == "request what who level status ends"
    assert [row.split(" ", 1)[1].removesuffix(" ann 0/1 of 3 pending in 23 h") for row in found[1:]] == [
        '"weekly report"',
        "a plan",
        '"fs_write"',
        "fs_write",
    ]


def test_how_it_stands_is_told_before_how_long_and_in_80_columns_both_are() -> None:
    document = {"requests": [line()], "server": "http://127.0.0.1:8000"}
    assert "in 23 h" in lists.requests(document, NOW, 80, False)
    narrow = lists.requests(document, NOW, 72, False)
    assert "pending" in narrow
    assert "in 23 h" not in narrow


def test_until_when_or_since_when_a_request_is_what_it_is() -> None:
    decided, grant = "2026-11-26T03:56:20+00:00", "2026-11-26T12:00:00+00:00"
    found = shown(
        line(expires_at="2026-11-26T03:56:20+00:00"),
        line(status="approved", decided_at=decided, grant_expires_at=grant),
        line(status="consumed", decided_at=decided, grant_expires_at=grant),
        line(status="rejected", decided_at="2026-11-26T04:00:34+00:00"),
    )
    assert [row.split("of 3 ")[1] for row in found[1:]] == [
        "pending 4 min ago",
        "approved in 7 h",
        "consumed 4 min ago",
        "rejected just now",
    ]


def test_who_asks_by_a_key_is_whose_key_it_is() -> None:
    key = {"issuer": "urn:aos:service-key", "subject": "a" * 16, "owner": {"issuer": "i", "subject": "bob"}}
    (row,) = shown(line(requested_by="a" * 16, requester=key))[1:]
    assert "bob" in row
    assert "aaaa" not in row


def test_a_name_moves_nothing() -> None:
    (row,) = shown(line(plan_name='x"\n0b44 "y"\x1b[2J'))[1:]
    assert "\\x1b[2J" in row


def test_kinds_are_counted_by_name() -> None:
    text = lists.counted([line(), line(), line(plan_name="nightly")], 100, False)
    assert [" ".join(row.split()) for row in text.splitlines()] == [
        "3 requests",
        '2 "weekly report" level 3',
        '1 "nightly" level 3',
    ]


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("2026-11-26T04:00:34.3+00:00", "just now"),
        ("2026-11-26T04:00:34.6+00:00", "just now"),
        ("2026-11-26T04:00:33+00:00", "1 s ago"),
        ("2026-11-26T03:58:00+00:00", "2 min 34 s ago"),
        ("2026-11-27T04:00:34.4+00:00", "in 1 d"),
    ],
)
def test_ages_are_told_to_the_second(then: str, told: str) -> None:
    assert card.ago(then, NOW) == told
