"""Keys that sign webhooks, as lines."""

import pytest

from aos.report.server import keys


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "unknown"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (172_800, "2 d"),
    ],
)
def test_a_key_is_as_old_as_it_is(seconds: int | None, shown: str) -> None:
    row = {"version": "v1", "state": "current", "age_s": seconds, "signs_until": None}
    assert " ".join(keys.keys({"versions": [row]}).splitlines()[1].split()) == f"v1 current {shown} -"
