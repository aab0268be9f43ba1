"""The forecast retries as a run does: a call that could happen twice gives up where its fate is unknown."""

from aos.domain.plans.plan import Step
from aos.domain.skills.skill import Catalog, Effects, EffectsBy, RetryPolicy
from tests.unit.engine.build import catalog, done, draw, skill, steps

READS = Effects(True, True, False, True, True)
WRITES = Effects(False, False, True, False, True)


def known(code: str, deduplicated: bool = False) -> Catalog:
    call = skill("call", failures={code: 0.5}, retry=RetryPolicy(5, deduplicated=deduplicated))
    return catalog(call._replace(effects=WRITES, effects_by=EffectsBy("method", {"GET": READS})))


def share_of_success(code: str, method: str, deduplicated: bool = False) -> float:
    chunk = draw(steps(Step("a", "call", {"method": method})), known(code, deduplicated))
    return float(done(chunk)[0].ok.mean())


def test_a_write_of_unknown_fate_is_not_made_again():
    assert share_of_success("TIMEOUT", "POST") < 0.52
    assert share_of_success("TIMEOUT", "GET") > 0.95
    assert share_of_success("TIMEOUT", "POST", deduplicated=True) > 0.95
    assert share_of_success("CONNECTION", "POST") > 0.95


def test_a_method_given_as_an_input_is_known():
    plan = steps(Step("a", "call", {"method": "${inputs.how}"}), inputs={"how": "GET"})
    assert done(draw(plan, known("TIMEOUT")))[0].ok.mean() > 0.95
