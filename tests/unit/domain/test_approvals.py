"""The rules of approval requests, one by one."""

from datetime import UTC, datetime, timedelta

import pytest

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import (
    Actor,
    Party,
    Request,
    approve,
    consume,
    escalate,
    opened,
    reject,
    review,
)
from aos.errors import AosError

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ISSUER = "https://login.example"
ASKER = Party(ISSUER, "ann")


def person(subject: str, level: int = 5, *, live: bool = True, issuer: str = ISSUER) -> Actor:
    return Actor(Party(issuer, subject), True, level, live)


def asked(level: int = 3, **given: object) -> Request:
    return opened((ASKER,), level, NOW, digest="sha256:d", **given)  # type: ignore[arg-type]


def refused(act: object) -> str:
    with pytest.raises(AosError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code


def test_one_person_is_enough_up_to_level_3_and_two_are_needed_above():
    for level in (2, 3):
        assert approve(asked(level), person("bob"), LATER).status == "approved"
    for level in (4, 5):
        once = approve(asked(level), person("bob"), LATER)
        assert (once.status, once.approvals, once.grant_expires_at) == ("pending", 1, None)
        twice = approve(once, person("eve"), LATER)
        assert (twice.status, twice.approvals) == ("approved", 2)
        assert twice.grant_expires_at == LATER + timedelta(hours=8)


@pytest.mark.parametrize("spelling", ["bob", "BOB", " bob ", "ｂｏｂ"])
def test_an_approver_counts_once_however_they_are_spelled(spelling):
    once = approve(asked(4), person("bob"), LATER)
    assert refused(lambda: approve(once, person(spelling), LATER)) == "already_voted"
    # Somebody of another issuer is somebody else.
    assert approve(once, person(spelling, issuer="https://other.example"), LATER).status == "approved"


@pytest.mark.parametrize("spelling", ["ann", "ANN", "Ann ", "ａｎｎ"])
def test_nobody_decides_on_their_own_request_in_any_spelling(spelling):
    for act in (approve, reject):
        assert refused(lambda act=act: act(asked(), person(spelling), LATER)) == "authorization_denied"
    assert refused(lambda: escalate(asked(), LATER, person(spelling))) == "authorization_denied"


def test_nobody_decides_on_a_request_of_their_key_and_no_key_decides():
    key = Party("urn:aos:service-key", "k1")
    by_key = opened((key, ASKER), 3, NOW)
    assert refused(lambda: approve(by_key, person("ann"), LATER)) == "authorization_denied"
    machine = Actor(key, False, 5, True, owner=Party(ISSUER, "bob"))
    for act in (approve, reject):
        assert refused(lambda act=act: act(asked(), machine, LATER)) == "authorization_denied"
    assert refused(lambda: escalate(asked(), LATER, machine)) == "authorization_denied"


def test_the_level_is_enough_and_stated_only_to_lower_it():
    assert refused(lambda: approve(asked(3), person("bob", 2), LATER)) == "authorization_denied"
    assert refused(lambda: approve(asked(3), person("bob", 3), LATER, level=5)) == "authorization_denied"
    assert refused(lambda: approve(asked(3), person("bob", 5), LATER, level=2)) == "authorization_denied"
    assert refused(lambda: reject(asked(3), person("bob", 2), LATER)) == "authorization_denied"
    assert approve(asked(3), person("bob", 5), LATER, level=3).votes[0].level == 3


def test_a_level_above_3_has_to_be_confirmed_just_now():
    assert refused(lambda: approve(asked(4), person("bob", 5, live=False), LATER)) == "authorization_denied"
    assert approve(asked(3), person("bob", 5, live=False), LATER).votes[0].level == 3


def test_a_no_ends_it_and_counts_as_no_approval():
    once = approve(asked(4), person("bob"), LATER)
    ended = reject(once, person("eve"), LATER)
    assert (ended.status, ended.approvals, ended.grant_expires_at) == ("rejected", 1, None)


def test_what_was_looked_at_is_what_is_decided():
    for act in (approve, reject):
        code = refused(lambda act=act: act(asked(), person("bob"), LATER, digest="sha256:other"))
        assert code == "stale_digest"
    assert approve(asked(), person("bob"), LATER, digest="sha256:d").status == "approved"


def test_overdue_is_expired_to_the_instant():
    due = NOW + approvals.PENDING
    early = due - timedelta(microseconds=1)
    assert approve(asked(), person("bob"), early).status == "approved"
    assert refused(lambda: approve(asked(), person("bob"), due)) == "already_decided"
    assert refused(lambda: approvals.expire(asked(), early)) == "already_decided"
    assert approvals.expire(asked(), due).status == "expired"
    raised = escalate(asked(), LATER, person("bob"))
    assert approvals.expire(raised, due).status == "expired"


def test_escalation_raises_level_and_number_and_earlier_votes_of_less_do_not_count():
    raised = escalate(asked(3), LATER, person("bob", 3))
    assert (raised.status, raised.required_level, raised.min_approvals) == ("escalated", 4, 2)
    once = approve(raised, person("cyd", 4), LATER)
    higher = escalate(once, LATER)
    assert (higher.required_level, higher.approvals) == (5, 0)
    assert refused(lambda: escalate(higher, LATER)) == "no_higher_level"
    assert approve(higher, person("dan"), LATER).status == "escalated"


def test_the_chain_goes_up_a_level_each_time_and_ends_at_the_top():
    step = timedelta(minutes=10)
    request = asked(3, escalate_after=step)
    assert not request.is_due_to_escalate(NOW + step - timedelta(microseconds=1))
    for level, at in ((4, NOW + step), (5, NOW + 2 * step)):
        assert request.is_due_to_escalate(at)
        request = escalate(request, at)
        assert request.required_level == level
    assert request.escalates_at is None
    assert opened((ASKER,), 5, NOW, escalate_after=step).escalates_at is None


def test_a_grant_is_used_as_often_as_given_within_its_time_by_whom_it_was_given_to():
    owner = Actor(ASKER, True, 2, True)
    granted = approve(asked(uses=2), person("bob"), LATER)
    assert refused(lambda: consume(asked(), owner, LATER)) == "approval_pending"
    assert refused(lambda: consume(granted, person("bob"), LATER)) == "authorization_denied"
    assert refused(lambda: consume(granted, owner, LATER, digest="sha256:other")) == "stale_digest"
    once = consume(granted, owner, LATER)
    assert (once.status, once.used) == ("approved", 1)
    key = Actor(Party("urn:aos:service-key", "k1"), False, owner=ASKER)
    twice = consume(once, key, LATER)
    assert (twice.status, twice.used) == ("consumed", 2)
    assert refused(lambda: consume(twice, owner, LATER)) == "already_consumed"
    assert refused(lambda: consume(granted, owner, LATER + approvals.GRANT)) == "grant_expired"
    no = reject(asked(), person("bob"), LATER)
    assert refused(lambda: consume(no, owner, LATER)) == "not_approved"


def test_a_broken_glass_needs_the_highest_level_and_somebody_else_to_review_it():
    assert (
        refused(lambda: approve(asked(4), person("bob", 4), LATER, break_glass=True))
        == "authorization_denied"
    )
    unsure = person("bob", 5, live=False)
    assert refused(lambda: approve(asked(3), unsure, LATER, break_glass=True)) == "authorization_denied"
    assert (
        refused(lambda: approve(asked(4), person("ann"), LATER, break_glass=True)) == "authorization_denied"
    )
    broken = approve(asked(5), person("bob"), LATER, break_glass=True)
    assert (broken.status, broken.approvals) == ("approved", 1)
    again = lambda: approve(asked(5), person("bob"), LATER, break_glass=True, unreviewed=True)  # noqa: E731
    assert refused(again) == "authorization_denied"
    for wrong in (person("bob"), person("ann"), person("eve", 3)):
        assert refused(lambda wrong=wrong: review(broken, wrong, "justified")) == "authorization_denied"
    closed = review(broken, person("eve", 4), "not_justified")
    assert closed.status == "approved"
    assert refused(lambda: review(closed, person("eve"), "justified")) == "no_open_review"


def test_a_policy_approves_level_1_alone():
    granted = approvals.approve_by_policy(asked(1), "sha256:p", NOW)
    assert (granted.status, granted.votes[0].who) == ("approved", Party("urn:aos:policy", "policy:sha256:p"))
    assert refused(lambda: approvals.approve_by_policy(asked(2), "sha256:p", NOW)) == "authorization_denied"


def test_only_who_asked_cancels():
    assert refused(lambda: approvals.cancel(asked(), person("bob"), LATER)) == "authorization_denied"
    assert approvals.cancel(asked(), person("ann", 2), LATER).status == "cancelled"
