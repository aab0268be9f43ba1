"""Who can't decide on a request is told so before they read it: by the rule that the server asks."""

from typing import Any, cast

import pytest

from aos.api.server.approvals import check_may
from aos.errors import AosError
from aos.sdk.client import Client

ANN = {"issuer": "i", "subject": "ann"}
SAID = {"issuer": "i", "approver_id": "eve", "decision": "approve", "level": 4, "break_glass": False}
ASKED: dict[str, Any] = {
    "status": "pending",
    "required_level": 4,
    "min_approvals": 2,
    "requester": {**ANN, "owner": None},
    "digest": "sha256:1",
    "created_at": "2026-11-26T04:00:00Z",
    "expires_at": "2026-11-27T04:00:00Z",
    "decisions": [SAID],
}


class Somebody:
    def __init__(self, subject: str, level: int = 4, *, live: bool = True, kind: str = "human") -> None:
        self._told = {"issuer": "i", "subject": subject, "level": level, "live": live, "kind": kind}

    def whoami(self) -> dict[str, Any]:
        return self._told


def refused(who: Somebody, **changes: Any) -> str:
    try:
        check_may(cast(Client, who), {**ASKED, **changes})
    except AosError as error:
        return error.code
    return ""


KEY = {"issuer": "urn:aos:service-key", "subject": "k", "owner": {"issuer": "i", "subject": "bob"}}


@pytest.mark.parametrize(
    ("who", "changes", "code"),
    [
        (Somebody("bob"), {}, ""),
        (Somebody("ann", 5), {}, "authorization_denied"),
        (Somebody("ANN", 5), {}, "authorization_denied"),
        (Somebody("bob"), {"requester": KEY}, "authorization_denied"),
        (Somebody("bob", 3), {}, "authorization_denied"),
        (Somebody("bob", kind="machine"), {}, "authorization_denied"),
        (Somebody("eve"), {}, "already_voted"),
        (Somebody("bob"), {"status": "rejected"}, "already_decided"),
        (Somebody("bob", 3, live=False), {}, ""),  # the server can say more than it could just now
    ],
)
def test_it_says_what_the_server_would(who: Somebody, changes: dict[str, Any], code: str) -> None:
    assert refused(who, **changes) == code


def test_whether_the_time_is_up_is_not_for_this_clock() -> None:
    assert refused(Somebody("bob"), expires_at="2026-11-26T04:00:01Z") == ""
