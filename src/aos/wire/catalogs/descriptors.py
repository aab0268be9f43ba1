"""Descriptors: one skill of a catalog, read into the domain's value and written back."""

from collections.abc import Collection
from typing import Any, cast

from aos.domain.skills.distributions import Distribution
from aos.domain.skills.skill import (
    CATEGORIES,
    MAX_CENTS,
    MAX_MS,
    NO_RETRY,
    CallCost,
    Category,
    CostModel,
    Effects,
    EffectsBy,
    FailureMode,
    Figure,
    Hints,
    RateLimit,
    RetryPolicy,
    Skill,
    TokenCost,
)
from aos.wire.catalogs.figures import dump_figure, dump_ratio, figure, ratio
from aos.wire.catalogs.growth import dump_growth, read_growth
from aos.wire.records.recordings import dump_fan_out, read_fan_out
from aos.wire.shape import MISSING, Field, Fields, Reader, at, or_missing

__all__ = ["MAX_CENTS", "MAX_MS", "dump_skill", "read_effects", "read_skill"]

MAX_ATTEMPTS = 10
MAX_DRIFT = 10.0
"""Log of the level in a year: beyond it nothing is known any more."""

_COSTS = ("cost_cents", "cost")
_SKILL = (
    *("version", "purpose", "input_schema", "output_schema", "main_output", "latency_ms", *_COSTS),
    *("failures", "effects", "retry", "rate_limit", "pool", "overhead_ms", "fan_out", "latency_by"),
    *("cost_by", "drift_per_year", "constraints", "hints", "enabled", "effects_by"),
)
_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-")


def read_skill(
    reader: Reader, name: str, value: Field, pointer: str, base: Skill | None, pools: Collection[str]
) -> Skill | None:
    """The skill called `name`; fields that `value` leaves out are those of `base`.

    Where something is wrong the answer is the base, or None. `pools` are the slot pools there are.
    """
    if not 0 < len(name) <= 128 or not _ID_CHARACTERS.issuperset(name):
        reader.add(pointer, "bad_value", "a skill's id is 1 to 128 of A-Z a-z 0-9 . _ : @ -")
    required = () if base else ("version", "purpose", "effects")
    fields = reader.obj(value, pointer, known=_SKILL, required=required)
    if all(key in fields for key in _COSTS):
        reader.add(
            at(pointer, "cost"), "bad_value", "`cost_cents` says the same in short: keep one of the two"
        )
    if base:
        fields = Fields(dump_skill(base) | fields)
    before = len(reader.findings)
    skill = Skill(
        id=name,
        version=reader.text(fields["version"], at(pointer, "version"), ""),
        purpose=reader.text(fields["purpose"], at(pointer, "purpose"), ""),
        input_schema=dict(reader.obj(or_missing(fields["input_schema"]), at(pointer, "input_schema"))),
        output_schema=dict(reader.obj(or_missing(fields["output_schema"]), at(pointer, "output_schema"))),
        main_output=reader.text(or_missing(fields["main_output"]), at(pointer, "main_output"), None),
        latency=figure(reader, fields["latency_ms"], at(pointer, "latency_ms"), high=MAX_MS),
        cost=_cost(reader, fields, pointer),
        failures=_failures(reader, or_missing(fields["failures"]), at(pointer, "failures")),
        effects=read_effects(reader, fields["effects"], at(pointer, "effects")),
        retry=_retry(reader, or_missing(fields["retry"]), at(pointer, "retry")),
        rate_limit=_rate_limit(reader, or_missing(fields["rate_limit"]), at(pointer, "rate_limit")),
        pool=_pool(reader, or_missing(fields["pool"]), at(pointer, "pool"), pools),
        overhead=figure(reader, fields["overhead_ms"], at(pointer, "overhead_ms"), high=MAX_MS),
        fan_out=read_fan_out(reader, fields["fan_out"], at(pointer, "fan_out")),
        latency_by=read_growth(reader, fields["latency_by"], at(pointer, "latency_by"), high=MAX_MS),
        cost_by=read_growth(reader, fields["cost_by"], at(pointer, "cost_by"), high=MAX_CENTS),
        drift=ratio(reader, fields["drift_per_year"], at(pointer, "drift_per_year"), high=MAX_DRIFT),
        constraints=dict(reader.obj(or_missing(fields["constraints"]), at(pointer, "constraints"))),
        hints=_hints(reader, or_missing(fields["hints"]), at(pointer, "hints")),
        enabled=reader.flag(fields["enabled"], at(pointer, "enabled"), True),
        effects_by=_effects_by(reader, or_missing(fields["effects_by"]), at(pointer, "effects_by")),
    )
    _check_main_output(reader, skill, pointer)
    return skill if len(reader.findings) == before else base


def _check_main_output(reader: Reader, skill: Skill, pointer: str) -> None:
    outputs = skill.output_schema.get("properties")
    closed = skill.output_schema.get("additionalProperties") is False
    if skill.main_output is not None and closed and isinstance(outputs, dict):
        reader.choice(skill.main_output, at(pointer, "main_output"), None, allowed=tuple(outputs))


def _cost(reader: Reader, fields: Fields, pointer: str) -> CostModel | None:
    if "cost_cents" in fields:
        price = figure(reader, fields["cost_cents"], at(pointer, "cost_cents"), high=MAX_CENTS)
        return price and CallCost(price)
    pointer = at(pointer, "cost")
    if (value := or_missing(fields["cost"])) is MISSING:
        return None
    if isinstance(value, dict) and "tokens" in value:
        cost = reader.obj(value, pointer, known=("tokens",))
        return _token_cost(reader, cost["tokens"], at(pointer, "tokens"))
    known = ("cost_cents", "per_ms", "follows_latency", "tokens")
    cost = reader.obj(value, pointer, known=known, required=("cost_cents",))
    price = figure(reader, cost["cost_cents"], at(pointer, "cost_cents"), high=MAX_CENTS)
    per_ms = ratio(reader, cost["per_ms"], at(pointer, "per_ms"), high=MAX_CENTS)
    follows = ratio(reader, cost["follows_latency"], at(pointer, "follows_latency"), high=1)
    return price and CallCost(price, per_ms, follows)


def _token_cost(reader: Reader, value: Field, pointer: str) -> TokenCost | None:
    needed = ("chars_per_token", "output_tokens", "reference_chars")
    fields = reader.obj(value, pointer, known=(*needed, "unnamed", "follows_latency"), required=needed)

    def stated(key: str, high: float, low: float = 0) -> Figure[Distribution] | None:
        return figure(reader, fields[key], at(pointer, key), low=low, high=high)

    chars = stated("chars_per_token", 1_000, 0.01)
    output = stated("output_tokens", 1e8)
    referred = stated("reference_chars", 1e8)
    unnamed = stated("unnamed", MAX_CENTS)
    follows = ratio(reader, fields["follows_latency"], at(pointer, "follows_latency"), high=1)
    if chars is None or output is None or referred is None:
        return None
    return TokenCost(chars, output, referred, unnamed, follows)


def _failures(reader: Reader, value: Field, pointer: str) -> tuple[FailureMode, ...] | None:
    if value is MISSING:
        return None
    modes: dict[str, FailureMode] = {}
    for i, item in enumerate(reader.array(value, pointer, max_len=100)):
        mode = _failure(reader, item, at(pointer, i))
        if mode.code in modes:
            reader.add(at(pointer, i, "code"), "bad_value", f'"{mode.code}" stands in this list twice')
        modes[mode.code] = mode
    # A thousandth of slack: calibrated figures are rounded.
    if sum(mode.probability.value for mode in modes.values() if mode.probability) > 1.001:
        reader.add(pointer, "bad_value", "the probabilities add up to more than 1")
    return tuple(modes.values())


def _failure(reader: Reader, value: Field, pointer: str) -> FailureMode:
    known = ("code", "category", "probability", "time_ms", "charged", "outage_ms")
    fields = reader.obj(value, pointer, known=known, required=("code", "category"))
    return FailureMode(
        code=reader.text(fields["code"], at(pointer, "code"), ""),
        category=_category(reader, fields["category"], at(pointer, "category")),
        probability=ratio(reader, fields["probability"], at(pointer, "probability"), high=1),
        time=figure(reader, fields["time_ms"], at(pointer, "time_ms"), high=MAX_MS),
        charged=reader.flag(fields["charged"], at(pointer, "charged"), True),
        outage=figure(reader, fields["outage_ms"], at(pointer, "outage_ms"), high=MAX_MS),
    )


def _category(reader: Reader, value: Field, pointer: str) -> Category:
    return cast(Category, reader.choice(value, pointer, "PERMANENT", allowed=CATEGORIES))


def read_effects(reader: Reader, value: Field, pointer: str) -> Effects:
    """The five flags of an object that has to state them all."""
    fields = reader.obj(value, pointer, known=Effects._fields, required=Effects._fields)
    return Effects(*(reader.flag(fields[key], at(pointer, key), False) for key in Effects._fields))


def _effects_by(reader: Reader, value: Field, pointer: str) -> EffectsBy | None:
    if value is MISSING:
        return None
    fields = reader.obj(value, pointer, known=EffectsBy._fields, required=EffectsBy._fields)
    cases = reader.obj(fields["cases"], at(pointer, "cases"))
    return EffectsBy(
        reader.text(fields["param"], at(pointer, "param"), ""),
        {case: read_effects(reader, cases[case], at(pointer, "cases", case)) for case in cases},
    )


def _retry(reader: Reader, value: Field, pointer: str) -> RetryPolicy:
    fields = reader.obj(value, pointer, known=RetryPolicy._fields)
    retry_on = NO_RETRY.retry_on
    if "retry_on" in fields:
        categories = reader.array(fields["retry_on"], at(pointer, "retry_on"), max_len=len(CATEGORIES))
        retry_on = tuple(
            _category(reader, item, at(pointer, "retry_on", i)) for i, item in enumerate(categories)
        )

    def number(key: str, default: float, low: float, high: float) -> float:
        return float(reader.number(fields[key], at(pointer, key), default, low=low, high=high))

    return RetryPolicy(
        reader.integer(fields["max_attempts"], at(pointer, "max_attempts"), 1, low=1, high=MAX_ATTEMPTS),
        number("backoff_ms", NO_RETRY.backoff_ms, 0, MAX_MS),
        number("multiplier", NO_RETRY.multiplier, 1, 100),
        number("max_backoff_ms", NO_RETRY.max_backoff_ms, 0, MAX_MS),
        retry_on,
        reader.flag(fields["deduplicated"], at(pointer, "deduplicated"), False),
    )


def _rate_limit(reader: Reader, value: Field, pointer: str) -> RateLimit | None:
    if value is MISSING:
        return None
    fields = reader.obj(value, pointer, known=RateLimit._fields, required=RateLimit._fields)
    return RateLimit(
        float(reader.number(fields["per_minute"], at(pointer, "per_minute"), 1.0, low=0.001, high=1e9)),
        reader.integer(fields["burst"], at(pointer, "burst"), 1, low=1, high=1_000_000),
    )


def _pool(reader: Reader, value: Field, pointer: str, pools: Collection[str]) -> str | None:
    if value is MISSING:
        return None
    return reader.choice(value, pointer, None, allowed=tuple(pools))


def _hints(reader: Reader, value: Field, pointer: str) -> Hints:
    fields = reader.obj(value, pointer, known=Hints._fields)
    return Hints(*(reader.texts(fields[key], at(pointer, key), max_len=100) for key in Hints._fields))


# -- writing ---------------------------------------------------------------------------------------------


def dump_skill(skill: Skill) -> dict[str, Any]:
    """The skill's descriptor in full; null is unknown."""
    return {
        "version": skill.version,
        "purpose": skill.purpose,
        "input_schema": dict(skill.input_schema),
        "output_schema": dict(skill.output_schema),
        "main_output": skill.main_output,
        "latency_ms": dump_figure(skill.latency),
        "cost": _dump_cost(skill.cost),
        "failures": None if skill.failures is None else [_dump_failure(mode) for mode in skill.failures],
        "effects": skill.effects._asdict(),
        "effects_by": _dump_effects_by(skill.effects_by),
        "retry": {**skill.retry._asdict(), "retry_on": list(skill.retry.retry_on)},
        "rate_limit": skill.rate_limit and skill.rate_limit._asdict(),
        "pool": skill.pool,
        "overhead_ms": dump_figure(skill.overhead),
        "fan_out": dump_fan_out(skill.fan_out),
        **_dump_learned(skill),
        "constraints": dict(skill.constraints),
        "hints": {key: list(values) for key, values in skill.hints._asdict().items()},
        "enabled": skill.enabled,
    }


def _dump_learned(skill: Skill) -> dict[str, Any]:
    """What only records tell, of skills that have it: most have none."""
    stated = {
        "latency_by": dump_growth(skill.latency_by),
        "cost_by": dump_growth(skill.cost_by),
        "drift_per_year": dump_ratio(skill.drift),
    }
    return {key: learned for key, learned in stated.items() if learned}


def _dump_failure(mode: FailureMode) -> dict[str, Any]:
    return {
        "code": mode.code,
        "category": mode.category,
        "probability": dump_ratio(mode.probability),
        "time_ms": dump_figure(mode.time),
        "charged": mode.charged,
        "outage_ms": dump_figure(mode.outage),
    }


def _dump_effects_by(by: EffectsBy | None) -> dict[str, Any] | None:
    if by is None:
        return None
    return {"param": by.param, "cases": {case: effects._asdict() for case, effects in by.cases.items()}}


def _dump_cost(cost: CostModel | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    if isinstance(cost, CallCost):
        return {
            "cost_cents": dump_figure(cost.per_attempt),
            "per_ms": dump_ratio(cost.per_ms),
            "follows_latency": dump_ratio(cost.follows_latency),
        }
    tokens: dict[str, Any] = {
        key: dump_figure(getattr(cost, key))
        for key in ("chars_per_token", "output_tokens", "reference_chars", "unnamed")
    }
    return {"tokens": {**tokens, "follows_latency": dump_ratio(cost.follows_latency)}}
