"""Ids of messages: seen once, by threads and processes, for four days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from aos.webhooks.seen import KEEP, LEASE, SeenIds

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_of_many_at_once_one_is_first(tmp_path):
    stores = [SeenIds(tmp_path / "seen.db") for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: stores[n % 4].first("msg_1", NOW), range(40)))
    assert sum(found) == 1


def test_it_is_remembered_longer_than_a_sender_tries(tmp_path):
    SeenIds(tmp_path / "seen.db").first("msg_1", NOW)
    seen = SeenIds(tmp_path / "seen.db")
    assert timedelta(hours=75) < KEEP
    assert not seen.first("msg_1", NOW + KEEP - timedelta(seconds=1))
    assert seen.first("msg_1", NOW + KEEP)


def test_what_was_begun_is_done_forgotten_or_given_up():
    seen = SeenIds()
    assert [seen.begin("a", NOW), seen.begin("a", NOW)] == ["new", "running"]
    seen.done("a", NOW)
    seen.forget("a")  # what is done stays done
    assert seen.begin("a", NOW + LEASE) == "done"
    assert seen.begin("b", NOW) == "new"
    seen.forget("b")
    assert seen.begin("b", NOW) == "new"
    assert seen.begin("b", NOW + LEASE) == "new"
