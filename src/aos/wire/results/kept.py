"""What rules look at, read back from a simulation that was kept (`aos.simulation/1`).

Its figures have six digits, so a fact can be off by what that leaves out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Kept", "KeptForecast", "kept_forecast"]


class Kept(NamedTuple):
    """Of a plan or a step: 95 of 100 runs cost and take at most so much; the chance to succeed; codes of failures that
    come. Each None where the forecast did not know."""

    cents: float | None
    ms: float | None
    success: float | None
    risks: tuple[str, ...] | None


class KeptForecast(NamedTuple):
    """`steps` are in the order of the plan, each under its id. `mean_cents` is the mean cost."""

    plan: Kept
    steps: Mapping[str, Kept]
    mean_cents: float | None


def kept_forecast(document: Mapping[str, Any]) -> KeptForecast:
    """Read it. Raises ValueError for what is no simulation."""
    try:
        return _read(document)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"it has no {error}" if isinstance(error, KeyError) else "it is damaged") from None


def _read(document: Mapping[str, Any]) -> KeptForecast:
    told = document["step_estimates"]
    found: dict[str, set[str]] = {step["id"]: set() for step in told}
    for risk in document["risks"]:
        found[risk["step"]].add(risk["code"])
    unknown = {
        int(one["plan_pointer"].split("/")[2])
        for one in document["unknowns"]
        if one["code"] == "unknown_failure"
    }
    steps = dict[str, Kept]()
    for i, step in enumerate(told):
        risks = None if i in unknown else tuple(sorted(found[step["id"]]))
        cost, time = step["cost_cents"], step["duration_ms"]
        succeeds = None if risks is None or not step["chance_to_run"] else step["chance_to_succeed"]
        steps[step["id"]] = Kept(cost and cost["p95"], time and time["p95"], succeeds, risks)
    codes = [kept.risks for kept in steps.values()]
    known = [one for one in codes if one is not None]
    cost, time = document["forecast"]["cost_cents"], document["forecast"]["duration_ms"]
    plan = Kept(
        cost and cost["p95"]["value"],
        time and time["p95"]["value"],
        document["chances"]["success"]["value"],
        tuple(sorted({code for one in known for code in one})) if len(known) == len(codes) else None,
    )
    return KeptForecast(plan, steps, cost and cost["mean"]["value"])
