"""What arrives is verified so that no other message passes, and each wrong one has its name."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import CODES, Exit
from aos.webhooks import FUTURE, PAST, SignatureError, new_secret, sign, verify
from aos.webhooks.seen import SeenIds

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SECOND = timedelta(seconds=1)


def changed(**headers: str) -> dict[str, str]:
    new = {name.replace("_", "-"): value for name, value in headers.items()}
    return {**sign([SECRET], "msg_1", NOW, BODY), **new}


def code(headers, body=BODY, secrets=(SECRET,), now=NOW, **options) -> str:
    with pytest.raises(SignatureError) as failed:
        verify(headers, body, secrets, now, **options)
    assert SECRET[6:] not in str(failed.value)
    return failed.value.code


def test_each_pair_is_compared_in_constant_time_whichever_fits(monkeypatch):
    live, compared = [new_secret(), SECRET, new_secret()], list[bool]()
    compare = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append(compare(one, other))
        return compared[-1]

    monkeypatch.setattr(hmac, "compare_digest", watched)
    verify(sign(live[:2], "msg_1", NOW, BODY), BODY, live, NOW)
    assert (len(compared), sum(compared)) == (6, 2)


@given(
    st.binary(max_size=100).filter(lambda data: data.decode("utf-8", "ignore").encode() == data),
    st.integers(0, 2),
)
def test_a_signed_message_verifies_with_each_live_secret(body, index):
    live = [new_secret(), new_secret()]
    headers = sign(live, "msg_a-1", NOW, body)
    named = {name.title(): value for name, value in headers.items()}
    assert verify(named, body, live[index : index + 1] or live, NOW) == "msg_a-1"


def test_headers_may_be_pairs_of_text_or_of_bytes():
    pairs = list(changed().items())
    raw = [(name.encode(), value.encode()) for name, value in pairs]
    assert verify(pairs, BODY, [SECRET], NOW) == verify(raw, BODY, [SECRET], NOW) == "msg_1"


@pytest.mark.parametrize("name", ["webhook_id", "webhook_timestamp", "webhook_signature"])
@pytest.mark.parametrize("value", ["", "é", "a\x00b", "v1,a\r\nb", "1" * 5000])
def test_a_malformed_header_is_named(name, value):
    assert code(changed(**{name: value})) == "webhook_malformed"


@pytest.mark.parametrize(
    "stamp",
    ["soon", "-1", "+1", "nan", "1e9", "0", "007", "1.5", "１", "999999999999", "1_0", " 1"],
)
def test_a_time_has_one_form(stamp):
    assert code(changed(webhook_timestamp=stamp)) == "webhook_malformed"


@pytest.mark.parametrize("given", ["v1", "v1a,g0hM9SsE", "v2,g0hM9SsE", ",", "V1,g0hM9SsE"])
def test_a_signature_of_no_known_version_is_none(given):
    assert code(changed(webhook_signature=given)) == "webhook_malformed"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_missing_or_sent_twice(name):
    headers = changed()
    without = {key: value for key, value in headers.items() if key != name}
    assert code(without) == code({}) == "webhook_malformed"
    assert code([*headers.items(), (name.title(), headers[name])]) == "webhook_malformed"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (changed(), BODY + b" "),
        (changed(webhook_id="msg_2"), BODY),
        (changed(webhook_timestamp=str(int(NOW.timestamp()) + 1)), BODY),
        (changed(webhook_signature="v1,"), BODY),
        (changed(webhook_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), BODY),
    ],
)
def test_what_was_changed_is_forged(headers, body):
    assert code(headers, body) == "webhook_forged"


def test_a_body_that_is_no_text_is_malformed():
    assert code(changed(), b"\xff") == "webhook_malformed"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.binary(max_size=30))
def test_whatever_arrives_is_refused_by_a_named_error(message_id, stamp, given, body):
    headers = changed(webhook_id=message_id, webhook_timestamp=stamp, webhook_signature=given)
    assert code(headers, body) in CODES


def test_another_secret_and_no_secret_are_refused():
    assert code(changed(), secrets=[new_secret()]) == code(changed(), secrets=[]) == "webhook_forged"


def test_a_receivers_own_bad_secret_is_its_own_mistake():
    with pytest.raises(ValueError, match="whsec_"):
        verify(changed(), BODY, ["whsec_short"], NOW)


def test_past_and_future_have_bounds_of_their_own():
    assert verify(changed(), BODY, [SECRET], NOW + PAST)
    assert code(changed(), now=NOW + PAST + SECOND) == "webhook_too_old"
    assert verify(changed(), BODY, [SECRET], NOW - FUTURE)
    assert code(changed(), now=NOW - FUTURE - SECOND) == "webhook_from_future"
    assert verify(changed(), BODY, [SECRET], NOW + timedelta(hours=1), past=timedelta(hours=1))
    assert code(changed(), now=NOW - SECOND, future=timedelta(0)) == "webhook_from_future"


def test_the_time_of_a_forged_message_is_not_looked_at():
    assert code(changed(webhook_timestamp="1")) == "webhook_forged"


def test_a_message_passes_once_and_a_forged_one_takes_no_id_away():
    seen = SeenIds()
    assert code(changed(), BODY + b" ", seen=seen) == "webhook_forged"
    assert verify(changed(), BODY, [SECRET], NOW, seen=seen) == "msg_1"
    assert code(changed(), seen=seen) == "webhook_repeated"


def test_damaged_messages_and_repeated_ones_exit_differently():
    damaged = ("webhook_malformed", "webhook_forged", "webhook_too_old", "webhook_from_future")
    assert {CODES[one].exit for one in damaged} == {Exit.DAMAGED}
    assert CODES["webhook_repeated"].exit == Exit.CONFLICT
