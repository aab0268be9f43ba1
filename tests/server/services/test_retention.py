"""Which backups are kept: laws that hold whatever there is, and whatever the clock says."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos_server.services.backups.folder import NAME, Found, new_name
from aos_server.services.backups.manifest import Manifest, State
from aos_server.services.backups.retention import Rule, kept

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Said:
    """A manifest that says nothing but its state."""

    def __init__(self, state: State) -> None:
        self.state = state


def backup(hours: float, state: str, number: int = 0) -> Found:
    name = f"{NOW - timedelta(hours=hours):%Y%m%dT%H%M%SZ}-{number:06x}"
    return Found(name, None if state == "damaged" else cast(Manifest, Said(cast(Any, state))))


BACKUPS = st.lists(
    st.tuples(st.floats(-48, 24 * 60), st.sampled_from(["good", "good", "bad", "created", "damaged"])),
    max_size=20,
).map(lambda many: [backup(*one, number) for number, one in enumerate(many)])
RULES = st.builds(
    Rule, st.integers(0, 5), st.integers(0, 5), st.integers(0, 72).map(lambda h: timedelta(hours=h))
)


@given(BACKUPS, RULES)
def test_the_last_good_one_stays_and_so_does_what_a_person_has_to_look_at(
    backups: list[Found], rule: Rule
) -> None:
    told = kept(backups, rule, NOW)
    assert sorted(one.backup.name for one in told) == sorted(one.name for one in backups)
    gone = [one.backup for one in told if not one.why]
    good = [one for one in backups if one.is_good]
    assert not gone or max(good, key=lambda one: one.name) not in gone
    for one in gone:
        assert one.manifest is not None
        assert NOW - one.started_at >= rule.least
        assert any(other.name > one.name for other in good)


@given(BACKUPS, RULES)
def test_what_is_left_is_left_the_next_time(backups: list[Found], rule: Rule) -> None:
    left = [one.backup for one in kept(backups, rule, NOW) if one.why]
    assert all(one.why for one in kept(left, rule, NOW))


def test_a_day_and_a_week_keep_their_last() -> None:
    days = [backup(24 * day + hour, "good") for day in range(30) for hour in (1, 3)]
    told = {one.backup.name: one.why for one in kept(days, Rule(3, 3), NOW)}
    stays = sorted(
        (NOW - Found(name, None).started_at) // timedelta(hours=1) for name, why in told.items() if why
    )
    # 26 November 2026 is a Thursday: the last ones of the weeks before began on Sundays, 4 and 11 days ago.
    assert stays == [1, 3, 25, 49, 4 * 24 + 1, 11 * 24 + 1]


@pytest.mark.parametrize("state", ["bad", "created"])
def test_without_a_good_one_nothing_goes(state: str) -> None:
    assert all(one.why for one in kept([backup(900, state), backup(800, state)], Rule(1, 0), NOW))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 2_000_000),
)
def test_the_name_of_a_later_backup_comes_later(at: datetime, by_us: int) -> None:
    names = [new_name(at), new_name(at + timedelta(microseconds=by_us))]
    assert names == sorted(names)
    assert all(NAME.fullmatch(name) for name in names)
