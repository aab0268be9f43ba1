"""What can be done here, as JSON documents: skills with all their figures, commands, codes, limits.

A figure that nobody knows is null, with an entry in `unknowns` that points at it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES, MAX_SAMPLES
from aos.domain.plans.sizes import MAX_INSTANCES, MAX_ITEMS, MAX_ITERATIONS, MAX_STEPS, MAX_STEPS_API
from aos.domain.skills.distributions import median
from aos.domain.skills.measured import Measured
from aos.domain.skills.skill import CallCost, Catalog, Skill, TokenCost
from aos.wire.catalogs.read import MAX_SKILLS, dump_catalog, dump_skill
from aos.wire.codes import codes, exit_codes
from aos.wire.results.documents import Document, envelope, significant
from aos.wire.shape import at
from aos.wire.strict import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_YAML_BYTES

__all__ = ["capabilities", "catalog", "skill", "skills", "typical_cost", "typical_latency"]

_SHARED = ("pools", "overhead_ms", "approval_wait_ms", "correlation")


def typical_latency(skill: Skill) -> float | None:
    """The median of one clean attempt in ms, None where it is unknown."""
    return None if skill.latency is None else median(skill.latency.value)


def typical_cost(skill: Skill) -> float | None:
    """What a typical attempt costs in cents, None where it is unknown. For a language model: with none named."""
    match skill.cost:
        case CallCost(per_attempt, None):
            return median(per_attempt.value)
        case CallCost(per_attempt, per_ms) if per_ms and skill.latency:
            return median(per_attempt.value) + per_ms.value * median(skill.latency.value)
        case TokenCost(unnamed=unnamed) if unnamed:
            return median(unnamed.value)
        case _:
            return None


def skill(one: Skill, measured: Measured | None = None, why: str = "nothing is recorded") -> Document:
    """The document `aos.skill/1`: the descriptor in full, and what was recorded of it; `why` nothing was."""
    unknowns = _of_descriptor(one, "")
    if measured is None:
        unknowns.append({"pointer": "/measured", "reason": why})
    return {
        **envelope("aos.skill/1"),
        **_descriptor(one),
        "measured": None if measured is None else _measured(measured),
        "unknowns": unknowns,
    }


def skills(catalog: Catalog) -> Document:
    """The document `aos.skills/1`: ids in the catalog's order, and the descriptors by id."""
    return {**envelope("aos.skills/1"), **_skills(catalog)}


def catalog(whole: Catalog) -> Document:
    """The document `aos.catalog/1`: a catalog file of the whole, exact, and what is unknown in it."""
    unknowns = [*_shared_unknowns(whole, "/catalog")]
    for name, one in whole.skills.items():
        unknowns += _unknowns(one, at("/catalog/skills", name))
    return {**envelope("aos.catalog/1"), "catalog": dump_catalog(whole), "unknowns": unknowns}


def capabilities(
    catalog: Catalog,
    commands: Sequence[Document],
    state: Mapping[str, Any] | None = None,
    state_unknowns: Mapping[str, str] = {},
) -> Document:
    """The document `aos.capabilities/1`. `commands` are the caller's own, each with the `schemas` it can print.

    `state` is budget and rates as recorded, where these are wanted, `state_unknowns` why nulls in it are unknown.
    """
    shared = dump_catalog(catalog._replace(skills={}))
    document = {
        **envelope("aos.capabilities/1"),
        **_skills(catalog),
        **{key: _rounded(shared[key]) for key in _SHARED},
        "commands": commands,
        "schemas": sorted({"aos.problem/1"}.union(*(command["schemas"] for command in commands))),
        "exit_codes": exit_codes(),
        "codes": codes()["codes"],
        "limits": _limits(),
    }
    document["unknowns"] += _shared_unknowns(catalog, "")
    if state is not None:
        document["state"] = state
        document["unknowns"] += [
            {"pointer": at("/state", key), "reason": why} for key, why in state_unknowns.items()
        ]
    return document


def _measured(found: Measured) -> Document:
    return {
        "n": found.n,
        "failed": found.failed,
        "codes": dict(found.codes),
        "latency_p50_ms": _rounded(found.latency_p50),
        "latency_p90_ms": _rounded(found.latency_p90),
        "cost_cents": _rounded(found.cost_cents),
        "last_ms": found.last_ms,
    }


def _skills(catalog: Catalog) -> Document:
    return {
        "skills": list(catalog.skills),
        "count": len(catalog.skills),
        "descriptors": {name: _descriptor(one) for name, one in catalog.skills.items()},
        "unknowns": [
            entry
            for name, one in catalog.skills.items()
            for entry in _of_descriptor(one, at("/descriptors", name))
        ],
    }


def _descriptor(one: Skill) -> Document:
    """The descriptor of a catalog, its figures rounded as public ones are, and what they come to."""
    dumped = dump_skill(one)
    figures = {
        key: _rounded(dumped[key]) for key in ("latency_ms", "cost", "failures", "retry", "overhead_ms")
    }
    typical = {"typical_latency_ms": typical_latency(one), "typical_cost_cents": typical_cost(one)}
    return {"id": one.id, **_rounded(typical), **dumped, **figures}


def _of_descriptor(one: Skill, pointer: str) -> list[Document]:
    typical = {"typical_latency_ms": typical_latency(one), "typical_cost_cents": typical_cost(one)}
    derived = [_unknown(at(pointer, key), one.id) for key, value in typical.items() if value is None]
    return [*_unknowns(one, pointer), *derived]


def _unknowns(one: Skill, pointer: str) -> Iterator[Document]:
    """Every null that stands for a figure nobody knows. Where null says "none", as for a pool, it is no figure."""
    missing: dict[tuple[str | int, ...], bool] = {
        ("latency_ms",): one.latency is None,
        ("cost",): one.cost is None,
        ("cost", "tokens", "unnamed"): isinstance(one.cost, TokenCost) and one.cost.unnamed is None,
        ("failures",): one.failures is None,
    }
    for i, mode in enumerate(one.failures or ()):
        missing["failures", i, "probability"] = mode.probability is None
    for path, unknown in missing.items():
        if unknown:
            yield _unknown(at(pointer, *path), one.id)


def _shared_unknowns(whole: Catalog, pointer: str) -> Iterator[Document]:
    missing = {
        ("overhead_ms",): whole.overhead is None,
        ("approval_wait_ms",): whole.approval_wait is None,
        ("correlation", "run"): whole.correlation.run is None,
        ("correlation", "siblings"): whole.correlation.siblings is None,
    }
    for path, unknown in missing.items():
        if unknown:
            yield _unknown(at(pointer, *path), "all skills")


def _unknown(pointer: str, what: str) -> Document:
    return {"pointer": pointer, "reason": f"no catalog states it for {what}"}


def _rounded(value: Any) -> Any:
    """A JSON value with every number of 6 significant digits."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return significant(value) if isinstance(value, float) else value


def _limits() -> Document:
    return {
        "plan_steps": MAX_STEPS,
        "plan_steps_api": MAX_STEPS_API,
        "step_instances": MAX_INSTANCES,
        "iterations": MAX_ITERATIONS,
        "for_each_items": MAX_ITEMS,
        "catalog_skills": MAX_SKILLS,
        "file_bytes": MAX_BYTES,
        "yaml_bytes": MAX_YAML_BYTES,
        "nesting": MAX_DEPTH,
        "values": MAX_NODES,
        "samples_default": DEFAULT_SAMPLES,
        "samples_most": MAX_SAMPLES,
    }
