"""The rules of keys, for every sequence of rotations."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import AosError
from aos_server.keystores.keyset import MAX_OVERLAP, KeySet, decode, encode
from aos_server.keystores.secrets import endpoint_secret, fingerprint

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOURS = st.integers(0, 400)


@given(st.lists(st.tuples(HOURS, st.integers(0, 168)), min_size=1, max_size=8), HOURS)
def test_at_each_instant_one_is_current_at_most_two_sign_and_the_old_one_signs_its_overlap(rotations, later):
    keys, now = KeySet(), START
    for n, (wait, overlap) in enumerate(rotations):
        now += timedelta(hours=wait)
        before = keys.live(now)
        if len(before) == 2:
            with pytest.raises(AosError):
                keys.rotated(f"v{n + 1}", now, timedelta(hours=overlap))
            continue
        keys = keys.rotated(f"v{n + 1}", now, timedelta(hours=overlap))
        assert keys.live(now)[0].name == f"v{n + 1}"
        if overlap:
            last = now + timedelta(hours=overlap, seconds=-1)
            assert keys.live(last)[1:] == [
                one._replace(signs_until=now + timedelta(hours=overlap)) for one in before
            ]
        assert len(keys.live(now + timedelta(hours=overlap))) == 1
    live = keys.live(now + timedelta(hours=later))
    assert 1 <= len(live) <= 2
    assert [one.state(now) for one in keys.versions].count("current") == 1
    assert decode(encode(keys)) == keys


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), MAX_OVERLAP + timedelta(seconds=1)])
def test_an_overlap_has_bounds(overlap):
    with pytest.raises(AosError, match="168"):
        KeySet().rotated("v1", START, overlap)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_damage(text):
    with pytest.raises(AosError) as failed:
        decode(text)
    assert failed.value.code == "keys_damaged"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v2"', b'"v1"'),
        (b'"v2"', b'"../v2"'),
        (b'"serial": 2', b'"serial": "2"'),
        (b"2026-11-25T12:00:00Z", b"yesterday"),
        (b'"signs_until": null', b'"signs_until": "2026-11-25T12:00:00Z"'),
        (b'"signs_until": "2026-11-25T13:00:00Z"', b'"signs_until": null'),
    ],
)
def test_a_record_that_was_changed_is_damage(old, new):
    keys = KeySet().rotated("v1", START, timedelta(0)).rotated("v2", START, timedelta(hours=1))
    text = encode(keys)
    assert old in text
    with pytest.raises(AosError):
        decode(text.replace(old, new))


def test_an_endpoint_has_a_secret_of_its_own():
    """RFC 5869 by another hand: extract with an empty salt, expand once."""
    import base64
    import hmac

    key = b"k" * 32
    extracted = hmac.digest(b"\0" * 32, key, "sha256")
    expanded = hmac.digest(extracted, b"aos webhook secret\0ep_1\x01", "sha256")
    assert endpoint_secret(key, "ep_1") == "whsec_" + base64.b64encode(expanded).decode()
    assert endpoint_secret(key, "ep_1") != endpoint_secret(key, "ep_2") != endpoint_secret(b"j" * 32, "ep_2")
    assert len(fingerprint(key)) == 16
