"""When an attempt is made again: never where something could happen twice."""

import pytest

from aos.domain.plans.retries import effect_of_failure, pause_ms, repeatable, tries_again
from aos.domain.skills.failures import Effect
from aos.domain.skills.skill import Category, Effects, RetryPolicy
from aos.wire.catalogs.read import default_catalog

READS = Effects(True, True, False, True, True)
TWICE_AS_GOOD = Effects(False, True, True, False, True)
WRITES = Effects(False, False, True, False, True)
ONCE_MORE = RetryPolicy(2)


@pytest.mark.parametrize(
    ("params", "reads", "idempotent"),
    [
        ({}, True, True),
        ({"method": "HEAD"}, True, True),
        ({"method": "PUT"}, False, True),
        ({"method": "DELETE"}, False, True),
        ({"method": "POST"}, False, False),
        ({"method": "PATCH"}, False, False),
        ({"method": "${inputs.method}"}, False, False),
        ({"method": ["GET"]}, False, False),
    ],
)
def test_what_a_request_does_depends_on_its_method(params: dict[str, object], reads: bool, idempotent: bool):
    effects = default_catalog().skills["http_call"].effects_of(params)
    assert (effects.read_only, effects.idempotent) == (reads, idempotent)


@pytest.mark.parametrize(
    ("effects", "policy", "category", "effect", "again"),
    [
        (WRITES, ONCE_MORE, "TRANSIENT", "none", True),
        (WRITES, ONCE_MORE, "TRANSIENT", "unknown", False),
        (WRITES, ONCE_MORE._replace(deduplicated=True), "TRANSIENT", "unknown", True),
        (TWICE_AS_GOOD, ONCE_MORE, "TRANSIENT", "unknown", True),
        (READS, ONCE_MORE, "TRANSIENT", "unknown", True),
        (READS, ONCE_MORE, "PERMANENT", "none", False),
        (WRITES, ONCE_MORE._replace(retry_on=("RESOURCE",)), "RESOURCE", "none", True),
    ],
)
def test_again_after_what_the_policy_names_and_only_if_nothing_can_happen_twice(
    effects: Effects, policy: RetryPolicy, category: Category, effect: Effect, again: bool
):
    assert tries_again(policy, category, effect, repeatable(effects, policy)) is again


def test_what_a_failure_leaves_behind():
    assert effect_of_failure("TIMEOUT", WRITES) == "unknown"
    assert effect_of_failure("TIMEOUT", READS) == "none"
    assert effect_of_failure("CONNECTION", WRITES) == "none"
    assert effect_of_failure("CODE_OF_THEIR_OWN", WRITES) == "unknown"


def test_only_webhooks_of_the_shipped_skills_are_told_apart_by_their_receiver():
    skills = default_catalog().skills.values()
    assert [skill.id for skill in skills if skill.retry.deduplicated] == ["webhook_send"]
    assert not repeatable(default_catalog().skills["email_send"].effects, RetryPolicy())


def test_the_wait_is_the_longer_of_backoff_and_what_the_service_asks_for():
    policy = RetryPolicy(4, backoff_ms=100, multiplier=2, max_backoff_ms=300)
    assert [pause_ms(policy, failed) for failed in (1, 2, 3)] == [100, 200, 300]
    assert pause_ms(policy, 1, retry_after_ms=50) == 100
    assert pause_ms(policy, 1, retry_after_ms=250) == 250
    assert pause_ms(policy, 1, retry_after_ms=301) is None
