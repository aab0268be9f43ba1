"""Limits on how long an attempt may take, where giving up and trying again makes a late plan early enough."""

import numpy as np
import pytest

from aos.domain.plans.plan import Plan, RetryOverride, Step
from aos.domain.skills.distributions import Constant, Lognormal, Quantiles
from aos.domain.skills.skill import Catalog, FailureMode, Skill
from aos.engine.alternatives.cutoffs import kept
from tests.unit.engine.alternatives.offering import kinds, offers, only, writer
from tests.unit.engine.build import catalog, chain, figure, skill, steps, tries

HANGS = Quantiles((0.0, 0.91, 0.9101, 1.0), (100.0, 100.0, 10_000.0, 10_000.0))
"""One attempt in eleven takes a hundred times as long."""


def hanging(name: str = "work", attempts: int = 3) -> Skill:
    return skill(name, HANGS, retry=tries(attempts))


def test_what_hangs_now_and_then_is_given_up_and_tried_again():
    offer = only("limit_time", offers(chain(1), catalog(hanging()), deadline=1_000, confidence=0.95))
    assert offer.summary == "s0: give an attempt up after 0.1 s, and try again"
    assert offer.plan.steps[0].timeout_s == 0.1
    assert not offer.changes_meaning
    assert offer.outlook.success.low.value == pytest.approx(0.999, abs=0.002)
    assert offer.assumes == "an attempt of s0 that takes longer may be given up"


def test_so_is_what_fails_only_after_a_long_time():
    late = FailureMode("TIMEOUT", "TRANSIENT", figure(0.1), figure(Constant(10_000.0)))
    known = catalog(skill(failures=(late,), retry=tries(3)))
    assert (
        only("limit_time", offers(chain(1), known, deadline=1_000, confidence=0.95)).plan.steps[0].timeout_s
        == 0.1
    )


def test_all_steps_of_the_tail_where_one_is_not_enough():
    found = offers(chain(3), catalog(hanging()), deadline=1_000, confidence=0.95)
    assert (
        only("limit_time", found).summary == "s0 and s1 and s2: give an attempt up after 0.1 s, and try again"
    )


def test_one_step_where_that_is_enough():
    # Nine runs in a hundred are late for either step.
    offer = only("limit_time", offers(chain(2), catalog(hanging()), deadline=1_000, confidence=0.89))
    assert len(offer.patch) == 1


def test_the_step_that_the_tail_comes_from_alone():
    plan = steps(Step("a", "calm", {}), Step("b", "work", {}), Step("c", "calm", {}))
    known = catalog(skill("calm", Lognormal(100, 0.1)), hanging())
    assert only("limit_time", offers(plan, known, deadline=1_000, confidence=0.95)).summary.startswith("b: ")


def test_tries_that_the_plan_forbade_are_given_back():
    plan = chain(1, retry=RetryOverride(max_attempts=1))
    offer = only("limit_time", offers(plan, catalog(hanging()), deadline=1_000, confidence=0.95))
    assert offer.plan.steps[0].retry is None


@pytest.mark.parametrize(
    ("plan", "known"),
    [
        (chain(1), catalog(hanging(attempts=1))),
        (chain(1, "write"), catalog(writer(latency=HANGS, retry=tries(3)))),
        (chain(1, timeout_s=0.05), catalog(hanging())),
        (chain(1), catalog(skill(latency=Constant(2_000.0), retry=tries(3)))),
    ],
    ids=["no further try", "what may have been done", "a shorter limit", "no tail"],
)
def test_where_nothing_is_gained_none_is_offered(plan: Plan, known: Catalog):
    assert "limit_time" not in kinds(offers(plan, known, deadline=1_000, confidence=0.95, min_success=0.0))


def test_what_is_kept_is_what_a_simulation_keeps():
    took = np.sort(np.random.default_rng(0).lognormal(6, 1, 60_000))
    drawn = np.random.default_rng(1).choice(took, (3, 60_000))
    for limit in (200.0, 500.0, 1_000.0, 5_000.0):
        cut = drawn > limit
        time = np.where(cut[0], limit + 50 + np.where(cut[1], limit + 50 + drawn[2], drawn[1]), drawn[0])
        for level in (0.5, 0.9, 0.99):
            expected = None if cut.all(axis=0).mean() > 1 - level else float(np.quantile(time, level))
            found = kept(took, limit, tries(3, 50.0), level)
            assert found == (expected and pytest.approx(expected, rel=0.05))
