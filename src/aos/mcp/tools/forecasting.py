"""Tools that say of plans how they will go. They touch nothing."""

from typing import Any

from aos.api.forecast.cases import case
from aos.api.forecast.diff import diff
from aos.api.forecast.simulate import simulate
from aos.domain.plans.nulls import doubts
from aos.errors import Exit
from aos.mcp import words
from aos.mcp.plans import INPUTS, LIMITS, LUCK, PLAN, limits_of, plan_of
from aos.mcp.setup import Setup
from aos.mcp.tool import Arguments, Call, Hints, Reply, Tool, takes
from aos.wire.results.checks import plan_check
from aos.wire.results.differences import comparison
from aos.wire.results.simulations import EXITS, simulation, summary

__all__ = ["TOOLS"]

_HARMLESS = Hints(read_only=True, destructive=False, idempotent=True, open_world=False)


def _simulate(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    now = setup.now()
    parsed = plan_of(arguments, now.catalog)
    result = simulate(
        parsed.plan,
        now.catalog,
        now.config.settled(limits_of(arguments, now.config), parsed.plan),
        samples=arguments.get("samples", now.config.samples),
        seed=arguments.get("seed", now.config.seed),
        alternatives=arguments.get("alternatives"),
        notes=parsed.notes,
        gate=None if now.rules.place is None else now.rules,
        progress=call.progress,
    )
    status = EXITS[result.verdict.decision]
    told = simulation(result, status)
    if arguments.get("detail") == "summary":
        changes = {key: told[key] for key in ("alternatives", "alternatives_search")}
        told = {**summary(result, status), **changes}
    return Reply(told, words.forecast(result))


def _check(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    catalog = setup.now().catalog
    parsed = plan_of(arguments, catalog)
    found = doubts(parsed.plan, catalog.skills)
    return Reply(plan_check(parsed, found), words.sound(parsed, found))


def _compare(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    now = setup.now()
    asked = limits_of(arguments, now.config)
    cases = []
    for key in ("before", "after"):
        parsed = plan_of(arguments, now.catalog, key)
        cases.append(case(parsed.plan, now.catalog, now.config.settled(asked, parsed.plan), parsed.notes))
    found = diff(
        *cases,
        samples=arguments.get("samples", now.config.samples),
        seed=arguments.get("seed", now.config.seed),
        progress=call.progress,
    )
    from aos.report.forecast.diff import comparison as text

    return Reply(comparison(found, Exit.YES), text(found, words.WIDTH, False))


_FREE: dict[str, Any] = {"cost_cents": 0}

TOOLS = (
    Tool(
        "simulate_plan",
        "Forecast a plan",
        "Forecast a plan of skill calls before running it: what it will cost, how long it will take, how likely it"
        " succeeds. Use it before you act on a plan with a cost, a deadline or side effects. Nothing is called or sent."
        " Returns the verdict (feasible, infeasible, undetermined), the reasons, and where it is not feasible the"
        " smallest changes that make it so, each as a JSON Patch.",
        _simulate,
        takes(
            {
                "plan": {
                    **PLAN,
                    "description": 'Steps: [{"skill": "http_call", "params": {"url": "..."}}, ...], or an object with'
                    " steps, budget, deadline_ms. Resource aos://guide has the format",
                },
                "inputs": INPUTS,
                **LIMITS,
                **LUCK,
                "alternatives": {
                    "type": "boolean",
                    "description": "Look for better plans; where it is not feasible unless said",
                },
                "detail": {
                    "enum": ["full", "summary"],
                    "description": "summary leaves steps and histograms out: for large plans",
                },
            },
            "plan",
        ),
        ("aos.simulation/1", "aos.simulation-summary/1"),
        _HARMLESS,
        _FREE,
    ),
    Tool(
        "check_plan",
        "Check a plan",
        "Find everything that is wrong with a plan at once, each with a JSON Pointer and a fix. Cheaper than"
        " simulate_plan, which checks it as well.",
        _check,
        takes({"plan": {**PLAN, "description": "As for simulate_plan"}, "inputs": INPUTS}, "plan"),
        ("aos.plan-check/1",),
        _HARMLESS,
        _FREE,
    ),
    Tool(
        "compare_plans",
        "Compare two plans",
        "Simulate two plans with the same luck and say what changes in cost, time, success and approvals, and which"
        " differences are only noise. Use it to choose between two plans, or after changing one.",
        _compare,
        takes(
            {
                "before": {**PLAN, "description": "As for simulate_plan"},
                "after": {**PLAN, "description": "As for simulate_plan"},
                "inputs": INPUTS,
                **LIMITS,
                **LUCK,
            },
            *("before", "after"),
        ),
        ("aos.diff/1",),
        _HARMLESS,
        _FREE,
    ),
)
