"""Many clients at once: who can't begin keeps nobody waiting."""

import httpx
import pytest

from aos.api.server.loadtest import load
from aos.errors import AosError
from aos.sdk.client import Client


def client(status: int) -> Client:
    return Client(
        "http://here", over=httpx.MockTransport(lambda _: httpx.Response(status, json={})), retries=0
    )


def test_what_one_of_them_meets_at_first_is_said_and_ends_it_for_all() -> None:
    with pytest.raises(AosError) as caught:
        load([client(200), client(200), client(401)], ["evaluate"], 10)
    assert caught.value.code == "unauthenticated"


def test_all_begin_together_and_the_first_call_of_each_is_not_counted() -> None:
    seen: list[int] = []
    measured = load([client(200), client(200)], ["evaluate", "read"], 3, progress=seen.append)
    assert (len(measured.shots), seen[-1], measured.workers, measured.counted) == (6, 6, 2, None)
    assert sorted(shot.call for shot in measured.shots) == ["evaluate"] * 3 + ["read"] * 3
