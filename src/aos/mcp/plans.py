"""Plans and limits out of a tool's arguments."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES, MAX_SAMPLES, Limits
from aos.domain.skills.skill import Catalog
from aos.errors import InputError
from aos.files.config import Config
from aos.mcp.tool import Arguments
from aos.wire.plans.read import ParsedPlan, parse_plan
from aos.wire.shape import MISSING, Reader, at
from aos.wire.strict import MAX_BYTES, MAX_INTEGER, parse

__all__ = ["INPUTS", "LIMITS", "LUCK", "PLAN", "cents_of", "limits_of", "plan_document", "plan_of"]

PLAN: dict[str, Any] = {"type": ["array", "object", "string"]}
"""As JSON; as text of JSON, too, for callers that can't nest."""
INPUTS: dict[str, Any] = {"type": "object", "description": "Values for the plan's ${inputs.NAME}"}
LIMITS: dict[str, dict[str, Any]] = {
    "budget_cents": {
        "type": "number",
        "minimum": 0,
        "maximum": 10**15 - 1,
        "description": "The most it may cost; 100 is a dollar",
    },
    "deadline_ms": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 10**12,
        "description": "The most it may take",
    },
    "confidence": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "How sure both must be kept; 0.9 unless said",
    },
    "min_success": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "How likely success must be; 0.5 unless said",
    },
}
LUCK: dict[str, dict[str, Any]] = {
    "samples": {
        "type": "integer",
        "minimum": 100,
        "maximum": MAX_SAMPLES,
        "description": f"Runs to simulate; {DEFAULT_SAMPLES} unless said",
    },
    "seed": {
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_INTEGER,
        "description": "The same seed gives the same answer",
    },
}


def plan_of(arguments: Arguments, catalog: Catalog, key: str = "plan") -> ParsedPlan:
    """The plan among the arguments. Raises InputError(invalid_plan), its pointers into the arguments."""
    document = plan_document(arguments, key)
    with _inside(key):
        return parse_plan(document, catalog, name=key, inputs=arguments.get("inputs", {}))


def plan_document(arguments: Arguments, key: str = "plan") -> Any:
    """The same as it was written, for a reader with another catalog."""
    value = arguments[key]
    data = (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
    with _inside(key):
        return parse(data, "json", name=key, max_bytes=MAX_BYTES, code="invalid_plan")


@contextmanager
def _inside(key: str) -> Iterator[None]:
    """Findings point into the argument of that name."""
    try:
        yield
    except InputError as error:
        found = [one._replace(pointer=at("", key) + one.pointer) for one in error.findings]
        raise InputError(error.code, error.detail, fix=error.fix, findings=found) from None


def limits_of(arguments: Arguments, config: Config) -> Limits:
    """The limits among the arguments, None where a plan may still say. Raises InputError(invalid_arguments)."""
    others = (arguments.get(key) for key in ("deadline_ms", "confidence", "min_success"))
    return config.asked(cents_of(arguments), *(None if value is None else float(value) for value in others))


def cents_of(arguments: Arguments) -> Any:
    """The budget as a Decimal, None where there is none. Raises InputError(invalid_arguments)."""
    reader = Reader()
    value = arguments.get("budget_cents", MISSING)
    budget = reader.money(value, "/budget_cents", None)
    reader.raise_if_any("invalid_arguments", "budget_cents")
    return budget
