"""Messages to webhooks: signed so that others can verify, verified so that no other passes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from aos.webhooks import TOLERANCE, SignatureError, new_secret, sign, verify

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_example_of_the_standard():
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_with_the_published_library_accepts_it():
    secret = new_secret()
    headers = sign([secret], "msg_1", datetime.now(UTC), BODY)
    assert Webhook(secret).verify(BODY, headers) == {"test": 2432232314}


@given(
    st.binary(max_size=100).filter(lambda data: data.decode("utf-8", "ignore").encode() == data),
    st.integers(0, 2),
)
def test_a_signed_message_verifies_with_each_live_secret(body, index):
    live = [new_secret(), new_secret()]
    headers = sign(live, "msg_a-1", NOW, body)
    named = {name.title(): value for name, value in headers.items()}
    assert verify(live[index : index + 1] or live, named, body, NOW) == "msg_a-1"


def changed(**headers: str) -> dict[str, str]:
    return {
        **sign([SECRET], "msg_1", NOW, BODY),
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (changed(), BODY + b" "),
        (changed(webhook_id="msg_2"), BODY),
        (changed(webhook_timestamp=str(int(NOW.timestamp()) + 1)), BODY),
        (changed(webhook_timestamp="soon"), BODY),
        (changed(webhook_timestamp="1" * 400), BODY),
        (changed(webhook_timestamp="-1"), BODY),
        (changed(webhook_timestamp="nan"), BODY),
        (changed(webhook_signature=""), BODY),
        (changed(webhook_signature="v1"), BODY),
        (changed(webhook_signature="v1,é"), BODY),
        (changed(webhook_signature="v1a,g0hM9SsE"), BODY),
        (changed(webhook_id=""), BODY),
        ({}, BODY),
        (changed(), b"\xff"),
    ],
)
def test_what_was_changed_is_refused(headers, body):
    with pytest.raises(SignatureError):
        verify([SECRET], headers, body, NOW)


def test_another_secret_and_no_secret_are_refused():
    for live in ([new_secret()], []):
        with pytest.raises(SignatureError):
            verify(live, changed(), BODY, NOW)


@pytest.mark.parametrize("sign_of", [-1, 1])
def test_a_recording_is_refused_after_the_tolerance(sign_of):
    assert verify([SECRET], changed(), BODY, NOW + sign_of * TOLERANCE)
    with pytest.raises(SignatureError):
        verify([SECRET], changed(), BODY, NOW + sign_of * (TOLERANCE + timedelta(seconds=1)))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", SECRET[6:], "whsec_short", "whsec_!!!", "whsec_" + "A" * 120]
)
def test_a_secret_of_another_form_is_refused(secret):
    with pytest.raises(ValueError, match="whsec_"):
        sign([secret], "msg_1", NOW, BODY)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a\r\nb", "ü", "--"])
def test_an_id_that_could_be_read_in_two_ways_is_refused(name):
    with pytest.raises(ValueError, match="id"):
        sign([SECRET], name, NOW, BODY)


def test_without_secrets_there_is_no_signature():
    headers: Any = sign([], "msg_1", NOW, BODY)
    assert headers["webhook-signature"] == ""
