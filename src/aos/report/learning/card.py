"""One skill in full: what an attempt costs, how long it takes, how it fails, and where each figure is from."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aos.domain.skills.distributions import Constant, Distribution, Uniform, median
from aos.domain.skills.measured import Measured
from aos.domain.skills.skill import (
    AnyGrowth,
    CallCost,
    Effects,
    EffectsBy,
    FailureMode,
    Figure,
    Growth,
    Hints,
    PowerGrowth,
    Provenance,
    RetryPolicy,
    Skill,
    TokenCost,
)
from aos.report.figures import UNKNOWN, cents, chance, count, duration, number, p90
from aos.report.parts.page import FAINT, OPEN, STRONG, Line, Page

Rows = list[list[Line]]

_YEAR_DAYS = 365.25


def skill(
    skill: Skill,
    pools: Mapping[str, int],
    width: int,
    colour: bool,
    ascii: bool = False,
    *,
    measured: Measured | None = None,
    now_ms: float = 0.0,
) -> str:
    """The card of a skill; `pools` are its catalog's slots by pool, `measured` is what was recorded of it."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=10)
    disabled: Line = [("  disabled", OPEN)] if not skill.enabled else ""
    page.add([(skill.id, STRONG), f"  version {skill.version}", *disabled])
    page.add(skill.purpose)
    latency = [*_figure(skill.latency, duration), *_growth(skill.latency_by, duration), *_drift(skill.drift)]
    page.section("latency", latency)
    page.section("cost", [*_cost(skill), *_growth(skill.cost_by, cents)])
    page.section(
        "failures", [page.table("nw", _failures(skill.failures))] if skill.failures else [_no_failures(skill)]
    )
    page.section("recorded", [page.table("lw", _recorded(measured, now_ms))] if measured else [])
    page.section("use", [page.table("lw", _use(skill, pools))])
    page.section("parameters", [page.table("nw", _parameters(skill.input_schema))])
    page.section("output", [page.table("nw", _parameters(skill.output_schema))])
    page.section("hints", _hints(skill.hints))
    return str(page)


def _recorded(measured: Measured, now_ms: float) -> Rows:
    """What the ledger has: latency, cost, failures, of how many attempts and how long ago."""
    median, high = measured.latency_p50, measured.latency_p90
    codes = ", ".join(f"{code} {n:,}" for code, n in measured.codes.items())
    age = duration(max(0.0, now_ms - measured.last_ms))
    return [
        [("latency", FAINT), UNKNOWN if high is None else f"{duration(median)}, p90 {duration(high)}"],
        [
            ("cost", FAINT),
            "unknown" if measured.cost_cents is None else f"{cents(measured.cost_cents)} on average",
        ],
        [("failures", FAINT), chance(measured.failed / measured.n) + (f" ({codes})" if codes else "")],
        [("from", FAINT), (f"n {measured.n:,}, the last {age} ago", FAINT)],
    ]


def _figure(figure: Figure[Distribution] | None, write: Callable[[float], str]) -> Iterator[Line]:
    if figure is None:
        yield (UNKNOWN, OPEN)
    else:
        yield _spread(figure.value, write)
        yield _source(figure.provenance)


def _growth(growth: AnyGrowth | None, write: Callable[[float], str]) -> Iterator[Line]:
    """`stated: 120 ms, 8 s for 1,000 tokens (recorded 310, p90 2,900)`, and how far that may be off."""
    match growth:
        case None:
            return
        case Growth(fixed, features):
            parts = [f"{write(1000 * f.each)} for 1,000 {f.name}" for f in features]
            yield f"where a step states it: {write(fixed)} and {' and '.join(parts)}"
        case PowerGrowth(level, powers):
            sizes = " and ".join(f"{f.name} {number(f.typical)}" for f in powers)
            twice = ", ".join(f"twice the {f.name} {number(2**f.exponent)} times that" for f in powers)
            yield f"where a step states it: {write(level)} at {sizes}; {twice}"
    yield f"that times {_spread(growth.rest.value, number)}"
    yield _source(growth.rest.provenance)
    for f in growth.features:
        yield (f"{f.name} recorded: {_spread(f.seen, number)}", FAINT)


def _drift(drift: Figure[float] | None) -> Iterator[Line]:
    """Over the days that were recorded: what it would be in a year is another question after a day of records."""
    if drift:
        days = drift.provenance.window_days or _YEAR_DAYS
        moves = math.expm1(drift.value * math.sqrt(days / _YEAR_DAYS))
        far = chance(moves) if moves < 1 else f"a factor of {number(1 + moves)}"
        yield f"its level moves by about {far} in {number(days)} days"
        yield _source(drift.provenance)


def _spread(distribution: Distribution, write: Callable[[float], str]) -> str:
    """`500 ms, p90 1.1 s`; `1 s to 5 s`; a constant is itself."""
    match distribution:
        case Constant(value):
            return write(value)
        case Uniform(low, high):
            return f"{write(low)} to {write(high)}"
        case _:
            return f"{write(median(distribution))}, p90 {write(p90(distribution))}"


def _source(provenance: Provenance) -> Line:
    facts = [f"n {provenance.n:,}"] if provenance.n is not None else []
    facts += [provenance.as_of] if provenance.as_of else []
    facts += [f"over {provenance.window_days:g} days"] if provenance.window_days else []
    known = f" ({', '.join(facts)})" if facts else ""
    method = f": {provenance.method}" if provenance.method else ""
    return (f"{provenance.source}{known}{method}", FAINT)


def _cost(skill: Skill) -> Iterator[Line]:
    match skill.cost:
        case None:
            yield (UNKNOWN, OPEN)
        case CallCost(per_attempt, per_ms, _):
            yield from _figure(per_attempt, cents)
            if per_ms:
                yield f"and {cents(per_ms.value * 1000)} for each second"
                yield _source(per_ms.provenance)
        case TokenCost() as tokens:
            yield "the price of the model named, for its tokens"
            yield f"output: {_spread(tokens.output_tokens.value, number)} tokens, at most `max_tokens`"
            yield _source(tokens.output_tokens.provenance)
            yield f"input: a token for {_spread(tokens.chars_per_token.value, number)} characters"
            yield _source(tokens.chars_per_token.provenance)
            yield f"a reference counts as {_spread(tokens.reference_chars.value, number)} characters"
            yield _source(tokens.reference_chars.provenance)
            yield "without a model named:"
            yield from _figure(tokens.unnamed, cents)


def _no_failures(skill: Skill) -> Line:
    return (UNKNOWN, OPEN) if skill.failures is None else "none"


def _failures(modes: tuple[FailureMode, ...] | None) -> Rows:
    rows: Rows = []
    for mode in modes or ():
        how_often = UNKNOWN if mode.probability is None else chance(mode.probability.value)
        takes = "as long as a success" if mode.time is None else _spread(mode.time.value, duration)
        facts = [f"{how_often} of attempts", mode.category.lower(), f"takes {takes}"]
        if mode.outage:
            facts.append(f"lasts {_spread(mode.outage.value, duration)}")
        if not mode.charged:
            facts.append("not charged")
        rows.append([mode.code, ", ".join(facts)])
        if mode.probability:
            rows.append(["", _source(mode.probability.provenance)])
    return rows


def _use(skill: Skill, pools: Mapping[str, int]) -> Rows:
    limit = skill.rate_limit
    rows = [
        ("effect", _effects(skill.effects)),
        *_cases(skill.effects_by),
        ("retry", _retry(skill.retry)),
        ("rate limit", f"{limit.per_minute:,.6g} a minute, {limit.burst:,} at once" if limit else "none"),
    ]
    if skill.pool:
        rows.append(("slots", f"{pools[skill.pool]:,} in the pool {skill.pool}"))
    rows += [(name, json.dumps(value, ensure_ascii=False)) for name, value in skill.constraints.items()]
    return [[(name, FAINT), text] for name, text in rows]


def _effects(effects: Effects) -> str:
    """All five flags, since a catalog has to state all five."""
    words = (
        ("reads only" if effects.read_only else "writes"),
        ("can be repeated" if effects.idempotent else "repeating it does it twice"),
        ("destructive" if effects.destructive else "not destructive"),
        ("can be undone" if effects.reversible else "can't be undone"),
        ("reaches outside" if effects.open_world else "stays inside"),
    )
    return ", ".join(words)


def _cases(by: EffectsBy | None) -> list[tuple[str, str]]:
    """The values of the parameter, those of the same effects together."""
    alike: dict[Effects, list[str]] = {}
    for value, effects in by.cases.items() if by else ():
        alike.setdefault(effects, []).append(value)
    return [
        (f"  {by.param}" if by else "", f"{', '.join(values)}: {_effects(effects)}")
        for effects, values in alike.items()
    ]


def _retry(retry: RetryPolicy) -> str:
    if retry.max_attempts == 1:
        return "never"
    tries = f"{count(retry.max_attempts, 'attempt')} after {' or '.join(retry.retry_on).lower()} failures"
    if not retry.backoff_ms:
        return tries
    growing = (
        f", then ×{retry.multiplier:g} up to {duration(retry.max_backoff_ms)}" if retry.multiplier > 1 else ""
    )
    return f"{tries}, waiting {duration(retry.backoff_ms)}{growing}"


def _parameters(schema: Mapping[str, Any]) -> Rows:
    """The properties of a JSON Schema of an object, the required ones marked."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return [["anything", ""]]
    required = schema.get("required", ())
    rows: Rows = []
    for name, inner in properties.items():
        inner = inner if isinstance(inner, Mapping) else {}
        facts = [_kind(inner)] + (["required"] if name in required else [])
        if "default" in inner:
            facts.append(f"default {json.dumps(inner['default'], ensure_ascii=False)}")
        described = inner.get("description", "")
        rows.append([name, [", ".join(facts), (f"  {described}" if described else "", FAINT)]])
    return rows


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kinds = schema.get("type", ())
    if kinds:
        return kinds if isinstance(kinds, str) else " or ".join(kinds)
    either = schema.get("anyOf") or schema.get("oneOf") or ()
    return (
        " or ".join(dict.fromkeys(_kind(inner) for inner in either if isinstance(inner, Mapping)))
        or "anything"
    )


def _hints(hints: Hints) -> Iterator[Line]:
    if hints.often_preceded_by:
        yield f"often after {', '.join(hints.often_preceded_by)}"
    if hints.often_followed_by:
        yield f"often before {', '.join(hints.often_followed_by)}"
    for pattern in hints.anti_patterns:
        yield f"avoid: {pattern}"
