"""Saved results: what `aos simulate --json` printed, read back as far as it takes to compute it again."""

from typing import Any, NamedTuple

from aos.domain.forecasts.verdicts import (
    DEFAULT_CONFIDENCE,
    DEFAULT_MIN_SUCCESS,
    DEFAULT_SAMPLES,
    MAX_SAMPLES,
    Limits,
)
from aos.errors import AosError
from aos.wire.plans.read import document_digest
from aos.wire.problems import visible
from aos.wire.shape import Fields, Reader, or_missing
from aos.wire.strict import MAX_INTEGER, Json

__all__ = ["MAX_RESULT_BYTES", "SavedResult", "parse_result"]

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""A result holds its plan, of up to 1 MiB, and says more about each step than the plan does."""

_SCHEMA = "aos.simulation/1"
_DIGESTS = ("plan", "catalog", "catalog_contract")
_INPUTS = ("plan", *Limits._fields, "samples", "seed")


class SavedResult(NamedTuple):
    """The whole `document`, and what it names as its inputs; `plan` is a plan in its normal form.

    `digests` are those of plan, catalog and the catalog's contract; `version` is that of the aos that wrote it.
    """

    document: dict[str, Json]
    version: str
    plan: dict[str, Json]
    limits: Limits
    samples: int
    seed: int
    digests: dict[str, str]


def parse_result(document: Json, *, name: str) -> SavedResult:
    """Read a saved result; `name` is what people call it.

    Raises InputError(invalid_result) for what is none, AosError(result_damaged) where the plan in it is not
    the one that its digest is of.
    """
    reader = Reader()
    fields = reader.obj(document, "", required=("schema", "aos_version", "inputs", "digests"))
    reader.choice(fields["schema"], "/schema", None, allowed=(_SCHEMA,))
    inputs = reader.obj(fields["inputs"], "/inputs", required=_INPUTS)
    stated = reader.obj(fields["digests"], "/digests", required=_DIGESTS)
    saved = SavedResult(
        document=fields,
        version=reader.text(fields["aos_version"], "/aos_version", ""),
        plan=reader.obj(inputs["plan"], "/inputs/plan"),
        limits=_limits(reader, inputs),
        samples=reader.integer(
            inputs["samples"], "/inputs/samples", DEFAULT_SAMPLES, low=100, high=MAX_SAMPLES
        ),
        seed=reader.integer(inputs["seed"], "/inputs/seed", 0, low=0, high=MAX_INTEGER),
        digests={key: reader.text(stated[key], f"/digests/{key}", "") for key in _DIGESTS},
    )
    reader.raise_if_any("invalid_result", name)
    if _digest(saved.plan) != saved.digests["plan"]:
        raise AosError("result_damaged", f"{visible(name, 200)}: the plan in it is not that of its digest")
    return saved


def _limits(reader: Reader, inputs: Fields) -> Limits:
    return Limits(
        reader.money(or_missing(inputs["budget_cents"]), "/inputs/budget_cents", None),
        reader.number(or_missing(inputs["deadline_ms"]), "/inputs/deadline_ms", None, low=0),
        reader.number(inputs["confidence"], "/inputs/confidence", DEFAULT_CONFIDENCE, low=0, high=1),
        reader.number(inputs["min_success"], "/inputs/min_success", DEFAULT_MIN_SUCCESS, low=0, high=1),
    )


def _digest(plan: dict[str, Any]) -> str | None:
    """None for a budget that is no number, so that nothing could be its digest."""
    budget = plan.get("budget", 0)
    return document_digest(plan) if isinstance(budget, int | float) and not isinstance(budget, bool) else None
