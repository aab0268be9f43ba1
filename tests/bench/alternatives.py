"""Alternatives for a plan of 30 steps against one simulation of it, where there is most to try."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan, RetryOverride, Step
from aos.engine.alternatives import alternatives
from aos.engine.attribution import attribution
from aos.engine.evidence import evidence
from aos.engine.execution.program import compile_plan
from aos.engine.feasibility import judge
from aos.wire.catalogs.read import default_catalog
from aos.wire.prices import lookup
from tests.bench.figures import Figure, interleaved

SAMPLES = 10_000
CATALOG = default_catalog()
_NAMES = ("gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-4o-mini", "gpt-4.1-nano")
PRICES = {name: price for name in _NAMES if (price := lookup(name))}


def measure() -> Iterator[Figure]:
    questions = {
        "over budget and late": (_plan(), Limits(Decimal(9), 60_000.0)),
        "fails too often": (_plan(retry=RetryOverride(max_attempts=1)), Limits(Decimal(60), None, 0.9, 0.6)),
        "a price nobody knows": (_plan(model="in-house"), Limits(Decimal(60), 90_000.0)),
        "feasible, to be cheaper or faster": (_plan(), Limits()),
        "no model, nothing queues": (_lean(), Limits(None, 900.0)),
        "waits for a rate limit": (_queueing(), Limits(None, 40_000.0, 0.9, 0.0)),
    }
    for name, (plan, limits) in questions.items():
        taken = interleaved(
            {"one": partial(_simulate, plan, limits), "all": partial(_alternatives, plan, limits)}, 7
        )
        # What is timed as "all" simulates the plan as it is once more, as nobody has to.
        ratio = taken["all"] / taken["one"] - 1
        yield Figure(f"alternatives, {name}: times one simulation", ratio, "x", 12, False)
    plan, limits = questions["over budget and late"]
    taken = interleaved(
        {"one": partial(_simulate, plan, limits), "shares": partial(_shares, plan, limits)}, 7
    )
    yield Figure(
        "attribution and evidence: times one simulation", taken["shares"] / taken["one"] - 1, "x", 2, False
    )


def _simulate(plan: Plan, limits: Limits) -> None:
    judge(compile_plan(plan, CATALOG, PRICES), limits, samples=SAMPLES, seed=0)


def _alternatives(plan: Plan, limits: Limits) -> None:
    forecast, verdict, _ = judge(compile_plan(plan, CATALOG, PRICES), limits, samples=SAMPLES, seed=0)
    alternatives(plan, CATALOG, PRICES, limits, forecast, verdict, samples=SAMPLES, seed=0, models=PRICES)


def _shares(plan: Plan, limits: Limits) -> None:
    program = compile_plan(plan, CATALOG, PRICES)
    forecast, verdict, chunk = judge(program, limits, samples=SAMPLES, seed=0)
    evidence(program, chunk, CATALOG, attribution(program, chunk, limits), forecast, verdict, limits)


def _plan(model: str = "gpt-4o", retry: RetryOverride | None = None) -> Plan:
    """Six times: read a file, ask about it, ask something else, pick from the answer, send it."""
    steps = []
    for i in range(6):
        steps += [
            Step(f"read{i}", "fs_read", {"path": "notes.md"}),
            Step(
                f"sum{i}",
                "llm_invoke",
                {"model": "gpt-4o", "prompt": f"Sum up ${{steps.read{i}.output.content}}"},
            ),
            Step(f"ask{i}", "llm_invoke", {"model": model, "prompt": "What else? " * 100}, iterations=2),
            Step(f"pick{i}", "json_transform", {"query": "items[0]"}),
            Step(f"send{i}", "http_call", {"url": "https://example.org"}, retry=retry, timeout_s=2.0),
        ]
    return Plan(tuple(steps))


def _lean() -> Plan:
    """Thirty steps that cost nothing, compile at once and may all run side by side."""
    return Plan(
        tuple(Step(f"s{i}", "fs_read" if i % 3 else "json_transform", _LEAN[i % 3 > 0]) for i in range(30))
    )


def _queueing() -> Plan:
    """Thirty mails at once, of which ten may go at once and sixty a minute: half of the last one's time is a wait."""
    mail = {"to": "me@example.org", "subject": "News", "body": "None"}
    return Plan(tuple(Step(f"s{i}", "email_send", mail, needs=(), iterations=2) for i in range(30)))


_LEAN = ({"query": "a", "input": {}}, {"path": "notes.md"})
