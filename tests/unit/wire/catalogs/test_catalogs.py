"""Catalogs: the shipped one keeps its promises, others add to it, and every rule that a descriptor can break."""

import math
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Tail, Uniform, median
from aos.domain.skills.skill import CallCost, Catalog, Provenance, Skill, TokenCost
from aos.errors import InputError
from aos.wire.catalogs.read import (
    catalog_contract_digest,
    catalog_digest,
    catalog_schema,
    default_catalog,
    dump_catalog,
    parse_catalog,
)
from aos.wire.plans.parameters import check_schema
from aos.wire.shape import Reader

ROOT = Path(__file__).parents[4]
EFFECTS = dict.fromkeys(["read_only", "idempotent", "destructive", "reversible", "open_world"], False)

CLOSED = {"properties": {"b": {}}, "additionalProperties": False}


def one(**keys: Any) -> Any:
    """A catalog with one new skill."""
    return {"skills": {"paint": {"version": "1", "purpose": "Paint", "effects": EFFECTS, **keys}}}


def read(document: Any, base: Catalog | None = None) -> Catalog:
    return parse_catalog(document, name="team.json", base=base)


def paint(**keys: Any) -> Skill:
    return read({**one(**keys), "pools": {"brushes": 2}}).skills["paint"]


def wrong(document: Any, base: Catalog | None = None) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        read(document, base)
    assert caught.value.code == "invalid_catalog"
    return [(finding.pointer, finding.code) for finding in caught.value.findings]


# -- the shipped catalog -------------------------------------------------------------------------------------

TYPICAL_MS = {
    "http_call": 500,
    "llm_invoke": 2000,
    "json_transform": 10,
    "fs_read": 50,
    "fs_write": 100,
    "webhook_send": 300,
    "email_send": 500,
}
PARAMETERS = {
    "http_call": ({"url", "method", "headers", "body", "timeout_s"}, {"status", "headers", "body"}, "body"),
    "llm_invoke": ({"prompt", "messages", "model", "max_tokens"}, {"text", "usage"}, "text"),
    "json_transform": ({"query", "input"}, {"result"}, "result"),
    "fs_read": ({"path"}, {"content", "bytes"}, "content"),
    "fs_write": ({"path", "content"}, {"bytes", "sha256"}, None),
    "webhook_send": ({"url", "payload", "sign_with"}, {"status", "webhook_id"}, None),
    "email_send": ({"to", "subject", "body"}, {"message_id"}, None),
}


def test_the_shipped_catalog_has_the_published_typical_figures() -> None:
    skills = default_catalog().skills
    assert {
        name: skill.latency and median(skill.latency.value) for name, skill in skills.items()
    } == TYPICAL_MS
    cents = {
        name: median(skill.cost.per_attempt.value)
        for name, skill in skills.items()
        if isinstance(skill.cost, CallCost)
    }
    assert cents == {**dict.fromkeys(TYPICAL_MS.keys() - {"llm_invoke"}, 0), "email_send": 1}
    model = skills["llm_invoke"].cost
    assert isinstance(model, TokenCost)
    assert model.unnamed
    assert median(model.unnamed.value) == 5


def test_the_shipped_skills_take_and_return_what_is_published() -> None:
    stated = {
        name: (set(s.input_schema["properties"]), set(s.output_schema["properties"]), s.main_output)
        for name, s in default_catalog().skills.items()
    }
    assert stated == PARAMETERS
    for skill in default_catalog().skills.values():
        assert skill.input_schema["additionalProperties"] is False
        assert skill.output_schema["additionalProperties"] is False


def test_every_shipped_figure_says_where_it_is_from() -> None:
    def figures(value: Any) -> list[Any]:
        own = [value] if isinstance(value, dict) and "source" in value else []
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return own + [found for item in inner for found in figures(item)]

    found = figures(dump_catalog(default_catalog()))
    assert len(found) > 60
    assert [figure for figure in found if not figure.get("method")] == []


def test_the_shipped_schemas_can_be_checked_against() -> None:
    reader = Reader()
    for skill in default_catalog().skills.values():
        check_schema(reader, dict(skill.input_schema), f"/{skill.id}/input_schema")
        check_schema(reader, dict(skill.output_schema), f"/{skill.id}/output_schema")
    assert reader.findings == []


def test_the_network_times_out_and_the_demo_mostly_works() -> None:
    skills = default_catalog().skills
    for name in ("http_call", "llm_invoke", "webhook_send", "email_send"):
        assert "TIMEOUT" in {mode.code for mode in skills[name].failures or ()}
    chance = 1.0
    for name in ("http_call", "json_transform", "webhook_send"):
        chance *= 1 - fails_after_retries(skills[name])
    assert chance > 0.95


def fails_after_retries(skill: Skill) -> float:
    """Without outages, which hold on: every attempt fails like the first."""
    final = retried = 0.0
    for mode in skill.failures or ():
        assert mode.probability
        if mode.category in skill.retry.retry_on:
            retried += mode.probability.value
        else:
            final += mode.probability.value
    tries = skill.retry.max_attempts
    return retried**tries + sum(final * retried**k for k in range(tries))


def test_hints_name_skills_that_there_are() -> None:
    skills = default_catalog().skills
    for skill in skills.values():
        assert skills.keys() >= {*skill.hints.often_followed_by, *skill.hints.often_preceded_by}


def test_rests_that_nobody_knows_are_left_out_so_that_digests_of_old_catalogs_stay() -> None:
    assert dump_catalog(default_catalog())["correlation"].keys() == {"run", "siblings"}


def test_the_schema_is_the_published_one() -> None:
    published = ROOT / "docs" / "schemas" / "catalog.schema.json"
    shipped = ROOT / "src" / "aos" / "wire" / "catalogs" / "data" / "catalog.schema.json"
    assert published.read_bytes() == shipped.read_bytes()
    assert catalog_schema()["title"] == "aos catalog, version 1"


# -- figures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "distribution"),
    [
        (5, Constant(5)),
        ({"value": 5}, Constant(5)),
        ({"low": 1, "high": 5}, Uniform(1, 5)),
        ({"p50": 10, "sigma": 0.5}, Lognormal(10, 0.5)),
        ({"p50": 10, "p90": 10}, Lognormal(10, 0)),
        ({"levels": [0.1, 0.9], "values": [1, 2]}, Quantiles((0.1, 0.9), (1, 2))),
        (
            {"levels": [0.5], "values": [1], "tail": {"shape": 0.2, "scale": 3}},
            Quantiles((0.5,), (1,), Tail(0.2, 3)),
        ),
    ],
)
def test_a_figure_is_a_number_or_one_distribution(stated: Any, distribution: Any) -> None:
    latency = paint(latency_ms=stated).latency
    assert latency
    assert latency.value == distribution


@pytest.mark.parametrize(("key", "z"), [("p90", 1.2815515655), ("p95", 1.6448536270), ("p99", 2.3263478740)])
def test_a_lognormal_goes_through_its_two_quantiles(key: str, z: float) -> None:
    latency = paint(latency_ms={"p50": 200, key: 900}).latency
    assert latency
    assert isinstance(latency.value, Lognormal)
    assert 200 * math.exp(z * latency.value.sigma) == pytest.approx(900)


def test_provenance_is_kept_and_declared_by_default() -> None:
    measured = {
        "source": "measured",
        "method": "p50 of runs",
        "n": 12,
        "as_of": "2026-01-31",
        "window_days": 7,
    }
    latency = paint(latency_ms={"value": 1, **measured}).latency
    assert latency
    assert latency.provenance == Provenance("measured", "p50 of runs", 12, "2026-01-31", 7)
    assert paint(latency_ms=1).latency.provenance == Provenance("declared")  # type: ignore[union-attr]


def test_what_nobody_says_is_unknown_and_never_zero() -> None:
    skill = paint()
    assert (skill.latency, skill.cost, skill.failures, skill.rate_limit, skill.pool) == (None,) * 5
    assert paint(failures=[]).failures == ()
    [mode] = paint(failures=[{"code": "SPILT", "category": "PERMANENT"}]).failures or ()
    assert mode.probability is None


# -- overriding ----------------------------------------------------------------------------------------------


def test_an_override_replaces_field_by_field() -> None:
    base = default_catalog()
    own: Any = {
        "pools": {"llm": 1},
        "skills": {"llm_invoke": {"cost_cents": 3, "latency_ms": None, "retry": {"max_attempts": 2}}},
    }
    catalog = read(own, base)
    skill, before = catalog.skills["llm_invoke"], base.skills["llm_invoke"]
    assert isinstance(skill.cost, CallCost)
    assert skill.cost.per_attempt.value == Constant(3)
    assert skill.latency is None
    assert (skill.retry.max_attempts, skill.retry.backoff_ms) == (2, 0)
    assert (skill.failures, skill.effects, skill.purpose) == (before.failures, before.effects, before.purpose)
    assert catalog.pools == {**base.pools, "llm": 1}
    assert catalog.skills.keys() == base.skills.keys()
    assert catalog.overhead == base.overhead


def test_a_new_skill_states_what_has_no_default() -> None:
    assert wrong({"skills": {"paint": {}}}) == [("/skills/paint", "missing_key")] * 3


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "place", "code"),
    [
        ({"latency": 5}, "/latency", "unknown_key"),
        ({"version": 1}, "/version", "wrong_type"),
        ({"effects": {**EFFECTS, "idempotent": None}}, "/effects/idempotent", "wrong_type"),
        ({"effects": {k: v for k, v in EFFECTS.items() if k != "idempotent"}}, "/effects", "missing_key"),
        ({"latency_ms": -1}, "/latency_ms", "bad_value"),
        ({"latency_ms": True}, "/latency_ms", "wrong_type"),
        ({"latency_ms": {}}, "/latency_ms", "bad_value"),
        ({"latency_ms": {"value": 1, "p50": 1}}, "/latency_ms", "bad_value"),
        ({"latency_ms": {"p50": 1}}, "/latency_ms", "bad_value"),
        ({"latency_ms": {"p50": 1, "p90": 2, "p99": 3}}, "/latency_ms", "bad_value"),
        ({"latency_ms": {"p50": 5, "p90": 4}}, "/latency_ms/p90", "bad_value"),
        ({"latency_ms": {"p50": 0, "p90": 4}}, "/latency_ms/p90", "bad_value"),
        ({"latency_ms": {"p50": 1, "p90": 1e6}}, "/latency_ms/p90", "bad_value"),
        ({"latency_ms": {"low": 5, "high": 4}}, "/latency_ms/high", "bad_value"),
        ({"latency_ms": {"low": 5}}, "/latency_ms", "missing_key"),
        ({"latency_ms": {"levels": [0.5, 0.5], "values": [1, 2]}}, "/latency_ms/levels/1", "bad_value"),
        ({"latency_ms": {"levels": [0.5, 1], "values": [2, 1]}}, "/latency_ms/values/1", "bad_value"),
        ({"latency_ms": {"levels": [0.5], "values": [2, 3]}}, "/latency_ms/values", "bad_value"),
        ({"latency_ms": {"levels": [1.5], "values": [2]}}, "/latency_ms/levels/0", "bad_value"),
        ({"latency_ms": {"value": 1, "source": "guessed"}}, "/latency_ms/source", "bad_value"),
        ({"latency_ms": {"value": 1, "as_of": "yesterday"}}, "/latency_ms/as_of", "bad_value"),
        ({"latency_ms": {"value": 1, "n": -1}}, "/latency_ms/n", "bad_value"),
        ({"cost_cents": 1, "cost": {"cost_cents": 1}}, "/cost", "bad_value"),
        ({"cost": {}}, "/cost", "missing_key"),
        ({"cost": {"cost_cents": 1, "follows_latency": 2}}, "/cost/follows_latency", "bad_value"),
        ({"cost": {"tokens": {"chars_per_token": 4, "output_tokens": 1}}}, "/cost/tokens", "missing_key"),
        ({"failures": {}}, "/failures", "wrong_type"),
        ({"failures": [{"code": "A"}]}, "/failures/0", "missing_key"),
        ({"failures": [{"code": "A", "category": "SAD"}]}, "/failures/0/category", "bad_value"),
        ({"retry": {"max_attempts": 11}}, "/retry/max_attempts", "bad_value"),
        ({"retry": {"retry_on": ["NEVER"]}}, "/retry/retry_on/0", "bad_value"),
        ({"rate_limit": {"per_minute": 0, "burst": 1}}, "/rate_limit/per_minute", "bad_value"),
        ({"pool": "nowhere"}, "/pool", "bad_value"),
        ({"main_output": "c", "output_schema": CLOSED}, "/main_output", "bad_value"),
        ({"input_schema": {"type": "strin"}}, "/input_schema/type", "bad_value"),
        ({"input_schema": {"$ref": "http://127.0.0.1:9/"}}, "/input_schema", "bad_value"),
        ({"hints": {"often": []}}, "/hints/often", "unknown_key"),
        ({"enabled": 1}, "/enabled", "wrong_type"),
    ],
)  # fmt: skip
def test_a_descriptor_that_breaks_one_rule(keys: dict[str, Any], place: str, code: str) -> None:
    assert wrong(one(**keys)) == [(f"/skills/paint{place}", code)]


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ([], "", "wrong_type"),
        ({"aos_catalog": "2"}, "/aos_catalog", "bad_value"),
        ({"skils": {}}, "/skils", "unknown_key"),
        ({"skills": []}, "/skills", "wrong_type"),
        ({"skills": {"a b": one()["skills"]["paint"]}}, "/skills/a b", "bad_value"),
        ({"pools": {"p": 0}}, "/pools/p", "bad_value"),
        ({"correlation": {"run": 1}}, "/correlation/run", "bad_value"),
        ({"correlation": {"rests": 0.5}}, "/correlation/rests", "wrong_type"),
        ({"correlation": {"rests": {"whole": 1}}}, "/correlation/rests/whole", "bad_value"),
        ({"correlation": {"rests": {"size": 0}}}, "/correlation/rests/size", "unknown_key"),
        ({"overhead_ms": "5"}, "/overhead_ms", "wrong_type"),
    ],
)
def test_a_catalog_that_breaks_one_rule(document: Any, pointer: str, code: str) -> None:
    assert wrong(document) == [(pointer, code)]


def test_failures_happen_at_most_always_and_once_each() -> None:
    mode = {"code": "A", "category": "TRANSIENT", "probability": 0.6}
    assert wrong(one(failures=[mode, {**mode, "code": "B"}])) == [("/skills/paint/failures", "bad_value")]
    assert wrong(one(failures=[{**mode, "probability": 0.1}, mode])) == [
        ("/skills/paint/failures/1/code", "bad_value")
    ]


def test_everything_wrong_is_said_at_once() -> None:
    document = {"pool": 1, "skills": {"http_call": {"latency_ms": "slow", "retry": {"tries": 3}}, "paint": 5}}
    assert wrong(document, default_catalog()) == [
        ("/pool", "unknown_key"),
        ("/skills/http_call/latency_ms", "wrong_type"),
        ("/skills/http_call/retry/tries", "unknown_key"),
        ("/skills/paint", "wrong_type"),
    ]


# -- digests -------------------------------------------------------------------------------------------------


def test_the_contract_is_versions_prices_effects_retry_and_limits() -> None:
    catalog = read({**one(cost_cents=1.5, pool="brushes", latency_ms=4), "pools": {"brushes": 2}})
    canonical = (
        b'{"paint":{"constraints":{},"cost":{"cost_cents":{"value":"1.5"},"follows_latency":null,"per_ms":null},'
        b'"effects":{"destructive":false,"idempotent":false,"open_world":false,"read_only":false,'
        b'"reversible":false},"effects_by":null,"pool":"brushes","rate_limit":null,"retry":{"backoff_ms":0,'
        b'"deduplicated":false,"max_attempts":1,"max_backoff_ms":60000,"multiplier":2,"retry_on":["TRANSIENT"]},'
        b'"slots":2,"version":"1"}}'
    )
    assert catalog_contract_digest(catalog, ["paint"]) == "sha256:" + sha256(canonical).hexdigest()


@pytest.mark.parametrize(
    ("change", "contract_moves"),
    [
        ({"latency_ms": 7}, False),
        ({"purpose": "Paint well"}, False),
        ({"failures": []}, False),
        ({"cost_cents": {"value": 2, "source": "measured"}}, False),
        ({"cost_cents": 2}, True),
        ({"version": "2"}, True),
        ({"effects": {**EFFECTS, "destructive": True}}, True),
        ({"retry": {"max_attempts": 2}}, True),
        ({"rate_limit": {"per_minute": 5, "burst": 1}}, True),
        ({"constraints": {"timeout_s": 5}}, True),
    ],
)
def test_what_moves_which_digest(change: dict[str, Any], contract_moves: bool) -> None:
    before = read(one(cost_cents={"value": 1, "source": "measured"}))
    after = read({"skills": {"paint": change}}, before)
    assert catalog_digest(before, ["paint"]) != catalog_digest(after, ["paint"])
    moved = catalog_contract_digest(before, ["paint"]) != catalog_contract_digest(after, ["paint"])
    assert moved == contract_moves


def test_skills_that_are_not_used_move_nothing() -> None:
    base = default_catalog()
    other = read(one(), base)
    assert catalog_digest(base, ["fs_read"]) == catalog_digest(other, ["fs_read"])
    assert catalog_contract_digest(base, ["fs_read"]) == catalog_contract_digest(other, ["fs_read"])


def test_the_shipped_catalog_is_read_without_costly_imports() -> None:
    program = (
        "import sys; from aos.wire.catalogs.read import default_catalog; default_catalog();"
        "print(*sys.modules.keys() & {'jsonschema_rs', 'tomllib', 'yaml', 'numpy', 'dataclasses', 'datetime'})"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []
