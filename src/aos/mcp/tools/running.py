"""The tool that runs plans, where whoever started the server allows it: by the same rules as `aos run`.

Nothing here gives a go-ahead: steps that want one pause the run, and a person goes on with it at a terminal; or people
approved the plan before, at a server, and the run uses that up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from aos.api.running.grants import Grant, grant_of
from aos.api.running.run import Means, run
from aos.api.running.world import opened
from aos.api.server.session import session
from aos.domain.forecasts.results import SimulationResult
from aos.domain.runs.results import RunResult
from aos.errors import Finding, InputError
from aos.mcp.plans import INPUTS, LIMITS, LUCK, PLAN, limits_of, plan_of
from aos.mcp.setup import Runs, Setup
from aos.mcp.tool import Arguments, Call, Hints, Reply, Tool, takes
from aos.mcp.words import WIDTH
from aos.wire.problems import visible
from aos.wire.results import runs as wire

__all__ = ["TOOLS"]


def _run(setup: Setup, arguments: Arguments, call: Call) -> Reply:
    now, allowed = setup.now(), setup.runs
    assert allowed
    parsed = plan_of(arguments, now.catalog)
    limits = now.config.settled(limits_of(arguments, now.config), parsed.plan)
    granted = allowed.purse.take(limits.budget_cents)
    used: Decimal | None = Decimal(0)

    def ready(_: SimulationResult) -> None:
        nonlocal used
        call.progress(0)
        used = None  # until it is known

    try:
        place = opened(*_place(allowed), setup.ledger, now.config.run)
        with place as (world, record), _granted(setup, arguments.get("approval")) as grant:
            means = Means(world, record, stoppable=call.stoppable, commands=setup.commands)
            result = run(
                parsed.plan,
                now.catalog,
                limits._replace(budget_cents=granted),
                means,
                samples=arguments.get("samples", now.config.samples),
                seed=arguments.get("seed", now.config.seed),
                notes=parsed.notes,
                gate=now.rules,
                ready=ready,
                grant=grant,
            )
        used = _used(result)
    finally:
        allowed.purse.settle(granted, used)
    told = wire.run(result, wire.exit_status(result), setup.commands)
    return Reply(told, _text(setup, result))


@contextmanager
def _granted(setup: Setup, request: str | None) -> Iterator[Grant | None]:
    """The approval that people gave at the server of this session. Raises AosError: invalid_arguments, not_approved."""
    if request is None:
        yield None
        return
    if setup.server is None:
        found = Finding("/approval", "bad_params", "this session has no server that could have approved it")
        raise InputError(
            "invalid_arguments", found.detail, fix="Start it with --server URL.", findings=[found]
        )
    asked = session(setup.server, setup.context)
    with asked.client as client:
        yield grant_of(client, asked.url, request)


def _place(allowed: Runs) -> tuple[Path, tuple[str, ...], bool]:
    return allowed.workspace or Path(), tuple(allowed.allow_hosts), allowed.allow_private


def _used(result: RunResult) -> Decimal | None:
    """What the run has cost or may still cost when somebody goes on with it; None where nobody knows."""
    if result.state is None:
        return Decimal(0)
    if result.state.status == "paused" or result.state.money.unknown:
        return None
    return result.state.money.spent + result.state.money.reserved


def _text(setup: Setup, result: RunResult) -> str:
    """What became of it; where it waits, that a person has to go on with it, and how."""
    if result.state is None:
        why, then = wire.not_started(result.simulation)
        reasons = [f"why: {one['detail']}" for one in result.simulation["reasons"]]
        return "\n".join(visible(line, WIDTH * 6) for line in (f"NOT RUN: {why}", *reasons, *then))
    from aos.report.runs.trace import trace

    state = result.state
    text = trace(state, tuple(wire.next_actions(state, setup.commands)), WIDTH, False)
    if state.end and state.end.cause in ("approval", "envelope", "budget"):
        text += "\nPENDING: no tool goes on with it. A person does, with the command above.\n"
    return text


TOOLS = (
    Tool(
        "run_plan",
        "Run a plan",
        "Carry a plan out: it is simulated first and run only where the verdict is feasible and no rule forbids it."
        " It keeps its budget; every attempt goes on record. Steps with `approval` pause the run until a person"
        " goes on with it. Simulate first, and tell the user what it will do.",
        _run,
        takes(
            {
                "plan": {**PLAN, "description": "As for simulate_plan"},
                "inputs": INPUTS,
                **LIMITS,
                **LUCK,
                "approval": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 64,
                    "description": "The request_id of an approval, which is used up",
                },
            },
            "plan",
        ),
        ("aos.run/1",),
        Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
        {},
    ),
)
