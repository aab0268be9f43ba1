"""Compute a saved result again: does it still come out, and if not, which input has drifted?"""

from collections.abc import Iterator, Mapping
from typing import Any

import aos
from aos.api.forecast.simulate import simulate
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verifications import Drift, Verification
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog
from aos.errors import InputError
from aos.files.sources import read_document
from aos.wire.plans.changes import changes
from aos.wire.plans.read import parse_plan, plan_digest
from aos.wire.results.saved import MAX_RESULT_BYTES, SavedResult, parse_result
from aos.wire.results.simulations import simulation

# What says how the result was asked for and told; and what is compared by itself.
_BESIDE = frozenset(
    (
        *("schema", "aos_version", "line", "id", "exit_code", "warnings"),
        *("alternatives", "alternatives_search", "inputs", "digests"),
    )
)


def load_result(source: str) -> SavedResult:
    """Read a saved result: a path, `-` for standard input, or the JSON itself.

    Raises InputError(invalid_result), AosError(result_damaged), AosError(unreadable).
    """
    document = read_document(source, code="invalid_result", max_bytes=MAX_RESULT_BYTES)
    return parse_result(document.value, name=document.name)


def verify(
    saved: SavedResult,
    catalog: Catalog,
    *,
    plan: Plan | None = None,
    samples: int | None = None,
    seed: int | None = None,
) -> Verification:
    """Simulate the plan in a saved result again, with its own limits, samples and seed, and compare.

    `plan`, `samples` and `seed` are those that the result is expected to rest on, where they are given. A
    result of another version that comes out the same is a match: documents only gain keys, and what the saved one
    does not have yet is not held against it.
    """
    drifts = list(_not_expected(saved, plan, samples, seed))
    try:
        parsed = parse_plan(saved.plan, catalog, name="the plan in it")
    except InputError as error:
        detail = f"with it the plan is no longer valid: {error.detail}"
        drifts.append(Drift("catalog", saved.digests["catalog"], None, detail))
        return Verification(tuple(drifts), (), False, saved.version)
    result = simulate(
        parsed.plan,
        catalog,
        saved.limits,
        samples=saved.samples,
        seed=saved.seed,
        explain=saved.document.get("attribution") is not None,
        alternatives=False,
    )
    now = simulation(result, 0)
    found = changes(_compared(saved.document), _compared(now))
    figures = tuple(change for change in found if change.op != "add")
    drifts += _of_catalog(saved, result)
    drifts += _of_prices(saved, now)
    if saved.version != aos.__version__ and (drifts or figures):
        drifts.append(Drift("version", saved.version, aos.__version__, "another version of aos wrote it"))
    return Verification(tuple(drifts), figures, True, saved.version)


def _not_expected(
    saved: SavedResult, plan: Plan | None, samples: int | None, seed: int | None
) -> Iterator[Drift]:
    if plan is not None and plan_digest(plan) != saved.digests["plan"]:
        yield Drift("plan", saved.digests["plan"], plan_digest(plan), "the plan given is another one")
    if samples is not None and samples != saved.samples:
        yield Drift("samples", saved.samples, samples, "other samples were asked for")
    if seed is not None and seed != saved.seed:
        yield Drift("seed", saved.seed, seed, "chance started elsewhere")


def _of_catalog(saved: SavedResult, now: SimulationResult) -> Iterator[Drift]:
    if saved.digests["catalog"] != now.digests.catalog:
        same = saved.digests["catalog_contract"] == now.digests.catalog_contract
        detail = (
            "its figures, but not its contract: declared prices, effects, retry and limits are the same"
            if same
            else "also its contract: declared prices, effects, retry or limits of the skills used"
        )
        yield Drift("catalog", saved.digests["catalog"], now.digests.catalog, detail)


def _of_prices(saved: SavedResult, now: Mapping[str, Any]) -> Iterator[Drift]:
    before = saved.document.get("prices")
    if isinstance(before, dict) and before != now["prices"]:
        models = [name for name in {**before, **now["prices"]} if before.get(name) != now["prices"].get(name)]
        yield Drift("prices", None, None, f"the prices of {', '.join(models)} are others")


def _compared(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _BESIDE}
