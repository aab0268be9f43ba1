"""What an attempt came to: what to do after a failure."""

import pytest

from aos.domain.skills.skill import RetryPolicy
from aos.runtime.outcomes import Situation, outcome
from aos.runtime.skills import Fault, Reply
from aos.wire.catalogs.read import default_catalog


@pytest.mark.parametrize(
    ("asked_ms", "said"),
    [
        (None, "Wait, then run it again."),
        (0.0, "Wait, then run it again."),
        (2_500.0, "Wait 2.5 s, as the service asks."),
        (1e9, "Wait 1,000,000 s, as the service asks: a run waits 10 s at most."),
    ],
)
def test_who_is_asked_to_wait_is_told_how_long_and_why_nothing_was_tried_again(asked_ms, said):
    skill = default_catalog().skills["http_call"]
    at = Situation(skill, skill.effects, RetryPolicy(max_attempts=3, max_backoff_ms=10_000), 5.0, 0)
    failed = Reply(fault=Fault("RATE_LIMITED", "status 429", asked_ms))
    assert outcome(failed, at, lambda skill, code: None).next_actions == (said,)
