"""What a caller can do here: skills, money, rates and permissions, as documents.

They bear the names by which clients of this API have always read them, beside those of the command line's documents.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from aos.domain.skills.skill import Skill
from aos.errors import AosError
from aos.wire.catalogs import capabilities as wire
from aos.wire.encode import one_line
from aos.wire.results.documents import Document, envelope, figure, money, significant
from aos.wire.shape import at, no_such
from aos_server.services.tenants import Terms, catalog_of

__all__ = ["capabilities", "resource_contract", "skill", "skills"]

_NOT_HERE = "counted where skills are called, not here"
_NO_BUDGET = "no budget is set for this tenant"


@lru_cache(maxsize=1024)
def capabilities(terms: Terms, agent: str | None, permissions: tuple[str, ...]) -> bytes:
    """The document `aos.server-capabilities/1`. `permissions` are the caller's own."""
    catalog = catalog_of(terms.catalog).skills
    usable = [name for name, one in catalog.items() if one.enabled and terms.allows(name)]
    limited = {name: one.rate_limit for name, one in catalog.items() if one.rate_limit}
    document = {
        **envelope("aos.server-capabilities/1"),
        "agent_id": agent,
        "tenant_id": terms.tenant,
        "skills": {name: _ability(one, name in usable) for name, one in catalog.items()},
        "skills_available": usable,
        "count": len(catalog),
        "budget": _budget(terms),
        "budget_remaining_cents": money(terms.budget.remaining_cents),
        "rate_limits": {
            name: {"per_minute": significant(limit.per_minute), "burst": limit.burst, "remaining": None}
            for name, limit in limited.items()
        },
        "permissions": list(permissions),
        "unknowns": [
            *_unknown_budget(terms),
            *(
                {"pointer": at("/skills", name, key), "reason": f"no catalog states it for {name}"}
                for name, one in catalog.items()
                for key, value in (
                    ("cost_estimate_cents", wire.typical_cost(one)),
                    ("avg_latency_ms", wire.typical_latency(one)),
                )
                if value is None
            ),
            *({"pointer": at("/rate_limits", name, "remaining"), "reason": _NOT_HERE} for name in limited),
        ],
    }
    return _line(document)


@lru_cache(maxsize=64)
def skills(catalog: bytes | None) -> bytes:
    """The document `aos.skills/1`: `skills` are ids, `descriptors` say all about each."""
    document = wire.skills(catalog_of(catalog))
    for name, descriptor in document["descriptors"].items():
        descriptor |= _former_names(name, descriptor)
    return _line(document)


@lru_cache(maxsize=256)
def skill(catalog: bytes | None, name: str) -> bytes:
    """The document `aos.skill/1`. Raises AosError(skill_not_found)."""
    known = catalog_of(catalog).skills
    if name not in known:
        raise _not_found("skill_not_found", "skill", name, known)
    document = wire.skill(known[name])
    return _line({**document, **_former_names(name, document)})


def resource_contract(terms: Terms, name: str) -> bytes:
    """The document `aos.resource-contract/1` of a skill or of a pool of slots. Raises AosError(resource_not_found)."""
    catalog = catalog_of(terms.catalog)
    one = catalog.skills.get(name)
    if one is None and name not in catalog.pools:
        raise _not_found("resource_not_found", "skill or pool", name, [*catalog.skills, *catalog.pools])
    limit = one.rate_limit if one else None
    pool = one.pool if one else name
    timeout_s = one.constraints.get("timeout_s") if one else None
    unknown = {
        ("concurrency", "current_running"): _NOT_HERE,
        **({("rate_limits", "remaining"): _NOT_HERE} if limit else {}),
    }
    return _line(
        {
            **envelope("aos.resource-contract/1"),
            "resource_id": name,
            "kind": "skill" if one else "pool",
            "budget": _budget(terms),
            "rate_limits": {
                "requests_per_minute": significant(limit.per_minute) if limit else None,
                "burst": limit.burst if limit else None,
                "remaining": None,
            },
            "concurrency": {
                "pool": pool,
                "max_concurrent": catalog.pools[pool] if pool else None,
                "current_running": None,
            },
            "time": {"max_run_duration_ms": None if timeout_s is None else significant(timeout_s * 1000)},
            "unknowns": [
                *_unknown_budget(terms),
                *({"pointer": at("", *path), "reason": reason} for path, reason in unknown.items()),
            ],
        }
    )


def _not_found(code: str, what: str, name: str, known: Collection[str]) -> AosError:
    return AosError(code, no_such(what, name, known, code=code).detail)


def _ability(one: Skill, usable: bool) -> Document:
    latency, cost = wire.typical_latency(one), wire.typical_cost(one)
    return {
        "available": usable,
        "cost_estimate_cents": figure(cost),
        "avg_latency_ms": figure(latency),
        "known_failure_patterns": [mode.code for mode in one.failures or ()],
    }


def _budget(terms: Terms) -> Document:
    return {
        "total_cents": money(terms.budget.total_cents),
        "spent_cents": None if terms.budget.unpriced else money(terms.budget.spent_cents),
        "remaining_cents": money(terms.budget.remaining_cents),
    }


def _unknown_budget(terms: Terms) -> Sequence[Document]:
    if terms.budget.unpriced:
        reason = f"{terms.budget.unpriced} recorded attempts have no known cost"
        return [{"pointer": f"/budget/{key}", "reason": reason} for key in ("spent_cents", "remaining_cents")]
    if terms.budget.total_cents is None:
        return [
            {"pointer": f"/budget/{key}", "reason": _NO_BUDGET} for key in ("total_cents", "remaining_cents")
        ]
    return []


def _former_names(name: str, descriptor: Mapping[str, Any]) -> Document:
    return {
        "skill_id": name,
        "name": name,
        "description": descriptor["purpose"],
        "inputs_schema": descriptor["input_schema"],
        "outputs_schema": descriptor["output_schema"],
        "cost_model": {"base_cents": descriptor["typical_cost_cents"]},
        "failure_modes": descriptor["failures"] or [],
        "composition_hints": descriptor["hints"],
    }


def _line(document: Document) -> bytes:
    return one_line(document).encode()
