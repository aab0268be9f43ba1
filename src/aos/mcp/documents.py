"""The documents that only agents are given: skills in short, and what can be done in this session."""

from collections.abc import Mapping
from typing import Any

from aos.domain.plans.sizes import MAX_INSTANCES, MAX_ITEMS, MAX_ITERATIONS, MAX_STEPS
from aos.domain.skills.skill import Catalog, Skill, chance_to_fail
from aos.mcp.setup import Now, Setup
from aos.wire.catalogs.capabilities import typical_cost, typical_latency
from aos.wire.problems import at
from aos.wire.results.documents import Document, envelope, figure, money
from aos.wire.strict import MAX_BYTES, MAX_DEPTH

__all__ = ["session", "skill_list"]


def skill_list(catalog: Catalog) -> Document:
    """The document `aos.skill-list/1`: what it takes to choose skills and to write steps that call them."""
    listed = [_line(skill) for skill in catalog.skills.values()]
    keys = ("typical_cost_cents", "typical_latency_ms", "chance_to_fail")
    return {
        **envelope("aos.skill-list/1"),
        "skills": listed,
        "count": len(listed),
        "unknowns": [
            {"pointer": at("/skills", i, key), "reason": f"no catalog states it for {line['id']}"}
            for i, line in enumerate(listed)
            for key in keys
            if line[key] is None
        ],
    }


def session(setup: Setup, now: Now, state: Mapping[str, Any], unknowns: Mapping[str, str]) -> Document:
    """The document `aos.mcp-session/1`: what can be done here, by which limits; `state` as the ledger has it."""
    config, purse = now.config, setup.runs and setup.runs.purse
    return {
        **envelope("aos.mcp-session/1"),
        "skills": list(now.catalog.skills),
        "may_run": purse is not None,
        "run_budget_cents": money(purse.budget_cents if purse else None),
        "run_budget_left_cents": money(purse.left_cents if purse else None),
        "may_request_approval": setup.server is not None,
        "may_approve": False,
        "rules": now.rules.place is not None,
        "agent": now.rules.principal.agent,
        "defaults": {
            "budget_cents": money(config.budget_cents),
            "deadline_ms": figure(config.deadline_ms),
            "confidence": config.confidence,
            "min_success": config.min_success,
            "samples": config.samples,
            "seed": config.seed,
        },
        "limits": {
            "plan_steps": MAX_STEPS,
            "step_instances": MAX_INSTANCES,
            "iterations": MAX_ITERATIONS,
            "for_each_items": MAX_ITEMS,
            "plan_bytes": MAX_BYTES,
            "nesting": MAX_DEPTH,
        },
        "state": dict(state),
        "unknowns": [{"pointer": at("/state", key), "reason": why} for key, why in unknowns.items()],
    }


def _line(skill: Skill) -> Document:
    schema = skill.input_schema
    required = schema.get("required", [])
    return {
        "id": skill.id,
        "purpose": skill.purpose,
        "enabled": skill.enabled,
        "required": list(required),
        "optional": [name for name in schema.get("properties", {}) if name not in required],
        "main_output": skill.main_output,
        "typical_cost_cents": figure(typical_cost(skill)),
        "typical_latency_ms": figure(typical_latency(skill)),
        "chance_to_fail": figure(chance_to_fail(skill)),
        "effects": skill.effects._asdict(),
    }
