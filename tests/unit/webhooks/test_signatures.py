"""Messages to webhooks: signed so that others can verify."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from aos.webhooks import new_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_the_example_of_the_standard():
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(max_size=50), st.integers(0, 1))
def test_a_receiver_with_the_published_library_accepts_each_live_secret(text, index):
    live, body = [new_secret(), new_secret()], text.encode("utf-8", "replace")
    headers = sign(live, "msg_1", datetime.now(UTC), body)
    Webhook(live[index]).verify(body, headers, json_parse=False)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", SECRET[6:], "whsec_short", "whsec_!!!", "whsec_" + "A" * 120]
)
def test_a_secret_of_another_form_is_refused(secret):
    with pytest.raises(ValueError, match="whsec_"):
        sign([secret], "msg_1", NOW, BODY)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a\r\nb", "a\n", "ü", "--", "a" * 65])
def test_an_id_that_could_be_read_in_two_ways_is_refused(name):
    with pytest.raises(ValueError, match="id"):
        sign([SECRET], name, NOW, BODY)


def test_without_secrets_there_is_no_signature():
    assert sign([], "msg_1", NOW, BODY)["webhook-signature"] == ""
