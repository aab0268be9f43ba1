"""The engine, loaded when it is first needed."""

from functools import cache
from pathlib import Path
from typing import Any

from aos.errors import AosError

DATA = Path(__file__).with_name("data")


@cache
def cedar() -> Any:
    """The module `cedarpy`. Raises AosError(policy_engine_missing) where it is not installed."""
    try:
        import cedarpy
    except ImportError:
        raise AosError("policy_engine_missing", "Cedar, which evaluates policies, is not installed") from None
    return cedarpy


@cache
def schema() -> Any:
    """The schema that rules are held against, parsed."""
    return cedar().Schema.from_str((DATA / "schema.cedarschema").read_text("utf-8"))
