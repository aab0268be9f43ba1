"""The typical run: what every run does where nothing is random."""

from aos.domain.plans.plan import OnError, Step
from aos.domain.skills.skill import RateLimit
from tests.unit.engine.build import catalog, decide, draw, skill, steps


def test_the_typical_run_waits_for_slots_and_limits_as_every_run_does():
    plan = steps(
        Step("a", "paged", {}, for_each=tuple(range(20)), iterations=2),
        Step("b", "pooled", {}, needs=(), for_each=tuple(range(5)), on_error=OnError("fallback", "c")),
        Step("c", "pooled", {}, for_each=tuple(range(9))),
        Step("d", "pooled", {}, needs=("a", "b")),
    )
    known = catalog(
        skill("paged", rate_limit=RateLimit(60, 10)), skill("pooled", pool="few"), pools={"few": 2}
    )
    chunk, forecast = draw(plan, known), decide(plan, known)[0]
    assert set(chunk.time) == {30_000.0 + 100.0 + 100.0}
    assert forecast.typical_ms == 30_200.0
    assert [step.typical_ms for step in forecast.steps] == [30_100.0, 300.0, None, 100.0]
    assert [step.typical_start_ms for step in forecast.steps] == [0.0, 0.0, None, 30_100.0]
