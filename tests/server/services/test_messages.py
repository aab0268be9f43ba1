"""What is sent, how it is signed, and when it is sent again."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from aos.webhooks import new_secret, verify
from aos.webhooks.seen import KEEP
from aos_server.services.webhooks.messages import MAX_BODY, body_of, headers_of
from aos_server.services.webhooks.schedule import DELAYS_S, MAX_RETRY_AFTER_S, TRIES, after_s

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
MESSAGE = UUID(int=7)


class Ring:
    """The live secrets of every webhook, newest first."""

    def __init__(self, **live: str) -> None:
        self.live = live

    def by_version(self, endpoint_id: str, now: datetime) -> dict[str, str]:
        return self.live


def test_a_message_is_signed_by_every_live_key():
    ring = Ring(v2=new_secret(), v1=new_secret())
    body = body_of("run.ended", NOW, "acme", 3, {"run_id": "r1"})
    headers = headers_of(ring, "wh_1", MESSAGE, NOW, body, legacy=False)
    for secret in ring.live.values():
        assert verify(headers, body, [secret], NOW) == str(MESSAGE)
    assert headers.keys() == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert json.loads(body) == {
        "type": "run.ended",
        "timestamp": "2026-11-26T04:00:00+00:00",
        "tenant_id": "acme",
        "sequence": 3,
        "data": {"run_id": "r1"},
    }


def test_the_predecessors_header_is_by_the_oldest_live_key_and_names_it():
    ring = Ring(v2=new_secret(), v1=new_secret())
    headers = headers_of(ring, "wh_1", MESSAGE, NOW, b"{}", legacy=True)
    expected = hmac.new(ring.live["v1"].encode(), b"{}", hashlib.sha256).hexdigest()
    assert headers["x-webhook-signature"] == f"sha256={expected}"
    assert headers["x-webhook-key-version"] == "v1"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=3_000),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=50), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=40)
@given(data=st.dictionaries(st.text(max_size=300), VALUES, max_size=30))
def test_a_body_is_json_in_ascii_within_its_limit_and_says_what_was_left_out(data):
    body = body_of("run.ended", NOW, "a" * 64, 2**53, data)
    document = json.loads(body)
    assert len(body) <= MAX_BODY
    assert body.isascii()
    assert document["data"] == data or (
        document["truncated"] is True and document["data"].items() <= data.items()
    )


def test_the_limit_of_a_body_is_exact():
    frame = len(body_of("t", NOW, "acme", 1, {"request_id": "r", "x": ""}))
    fits, over = (
        {"request_id": "r", "x": "x" * (MAX_BODY - frame)},
        {"request_id": "r", "x": "x" * (MAX_BODY - frame + 1)},
    )
    assert len(body_of("t", NOW, "acme", 1, fits)) == MAX_BODY
    assert json.loads(body_of("t", NOW, "acme", 1, over))["data"] == {"request_id": "r"}


def test_ten_tries_take_about_75_hours_and_a_receiver_remembers_longer():
    assert TRIES == 10
    assert 75 * 3600 <= sum(DELAYS_S) <= 76 * 3600
    latest = sum(after_s(tried, MAX_RETRY_AFTER_S, lambda: 1.0) or 0 for tried in range(1, TRIES))
    assert timedelta(seconds=latest) < KEEP
    assert after_s(TRIES, None, lambda: 0.5) is None


@given(
    tried=st.integers(1, TRIES - 1),
    asked=st.none() | st.floats(0, 1e9),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_that_of_the_table_and_longer_only_where_it_is_asked_for(tried, asked, chance):
    delay, plain = after_s(tried, asked, lambda: chance), after_s(tried, None, lambda: chance)
    assert delay is not None
    assert plain is not None
    assert abs(plain - DELAYS_S[tried - 1]) <= 0.1 * DELAYS_S[tried - 1] + 1e-6
    assert delay == max(plain, min(asked or 0, MAX_RETRY_AFTER_S))
