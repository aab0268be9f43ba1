import pytest

from aos.domain.skills.distributions import Constant, Lognormal, Uniform
from aos.domain.skills.skill import CallCost, FailureMode, Figure, Provenance, RetryPolicy, Skill
from aos.report.learning import card
from aos.wire.catalogs.read import default_catalog
from tests.unit.report import build

SEVEN = default_catalog()


def words(skill: Skill, width: int = 100) -> str:
    return " ".join(card.skill(skill, SEVEN.pools, width, False).split())


@pytest.mark.parametrize("name", SEVEN.skills)
def test_every_figure_stands_with_where_it_is_from(name: str) -> None:
    skill = SEVEN.skills[name]
    text = words(skill)

    assert skill.purpose in text
    assert skill.latency is not None
    assert f"declared: {skill.latency.provenance.method}" in text
    for mode in skill.failures or ():
        assert mode.code in text
        assert mode.probability is not None
        assert mode.probability.provenance.method in text
    for parameter in skill.input_schema["properties"]:
        assert parameter in text


def test_what_is_unknown_is_said_to_be() -> None:
    text = card.skill(build.skill("crawl")._replace(latency=None, cost=None, failures=None), {}, 80, False)

    assert "latency     unknown\n" in text
    assert "cost        unknown\n" in text
    assert "failures    unknown\n" in text


def test_a_skill_that_does_not_fail_is_told_from_one_nobody_knows() -> None:
    assert "failures    none\n" in card.skill(build.skill("sure"), {}, 80, False)


def test_a_measured_figure_has_its_records_and_their_age() -> None:
    source = Provenance("measured", "ledger", 4_211, "2026-03-01", 30.0)
    measured = build.skill("x")._replace(latency=Figure(Lognormal(500.0, 0.6), source))

    assert "500 ms, p90 1.1 s measured (n 4,211, 2026-03-01, over 30 days): ledger" in words(measured)


@pytest.mark.parametrize(
    ("drift", "moves"), [(0.1, "10.5 % in 365 days"), (3.0, "a factor of 20.1 in 365 days")]
)
def test_a_level_that_may_be_anything_is_no_share(drift: float, moves: str) -> None:
    source = Provenance("measured", "block medians", 49, "2026-03-01", 365.25)
    assert f"its level moves by about {moves}" in words(
        build.skill("x")._replace(drift=Figure(drift, source))
    )


def test_how_it_fails_and_tries_again() -> None:
    mode = FailureMode(
        "BUSY",
        "TRANSIENT",
        Figure(0.02, build.DECLARED),
        build.declared(Constant(10_000.0)),
        charged=False,
        outage=build.declared(Uniform(1_000.0, 60_000.0)),
    )
    text = words(build.skill("x", mode)._replace(retry=RetryPolicy(3, 500.0, 2.0, 10_000.0)))

    assert "BUSY 2.0 % of attempts, transient, takes 10 s, lasts 1 s to 1 min, not charged" in text
    assert "3 attempts after transient failures, waiting 500 ms, then ×2 up to 10 s" in text


def test_costs_of_both_kinds() -> None:
    timed = CallCost(build.declared(Constant(2.0)), Figure(0.01, build.DECLARED))

    assert "2c declared and 10c for each second" in words(build.skill("x")._replace(cost=timed))
    assert "250, p90 1,410 tokens, at most `max_tokens`" in words(SEVEN.skills["llm_invoke"])
    assert "without a model named: 5c" in words(SEVEN.skills["llm_invoke"])


def test_parameters_of_any_schema() -> None:
    schema = {
        "properties": {
            "a": True,
            "b": {"type": ["string", "null"], "default": {"x": 1}},
            "c": {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "string"}]},
            "d": {"enum": ["GET", 1]},
        },
        "required": ["d"],
    }
    text = words(build.skill("x")._replace(input_schema=schema))

    assert 'a anything b string or null, default {"x": 1} c string or array d GET | 1, required' in text
