"""Run a plan: simulate it first, then carry it out by the rules of its forecast, with everything on record."""

import math
import secrets
import time
from collections.abc import Callable, Container, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from aos.api.forecast.simulate import simulate
from aos.api.learning.scores import score
from aos.api.running.bounds import held_to
from aos.api.running.grants import Grant
from aos.api.running.needs import carried_out_by, check_secrets
from aos.domain.approvals.policies import rank
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES, Limits
from aos.domain.plans.flow import failed_for_good
from aos.domain.plans.plan import Plan, Step
from aos.domain.plans.references import with_inputs
from aos.domain.runs.happenings import Observer
from aos.domain.runs.recorded import PastFailures, RunState, left_of
from aos.domain.runs.results import RunResult
from aos.domain.runs.run import RunEnd, RunStart
from aos.domain.skills.skill import Catalog, Effects
from aos.errors import AosError, InputError
from aos.runtime.executor import Executor, Settings
from aos.runtime.journal import Journal
from aos.runtime.memory import Memory
from aos.runtime.outcomes import masked
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Implementation
from aos.runtime.skills.world import World
from aos.wire.catalogs.read import catalog_contract_digest, default_catalog
from aos.wire.commands import PLAIN, Commands
from aos.wire.plans.read import dump_plan, parse_plan, plan_digest
from aos.wire.results.simulations import EXITS, simulation

__all__ = ["Means", "Record", "irreversible", "permitted", "resume", "run"]


class Record(Journal, Protocol):
    """A journal that can also go on with a run, and tell how earlier ones went."""

    def state(self, run: str) -> RunState: ...
    def score(self, run: str, score: Mapping[str, Any]) -> None: ...
    def past_failures(self, skill: str, code: str) -> PastFailures: ...
    def resume(
        self,
        run: str,
        at_ms: float,
        budget_cents: Decimal | None,
        approval: Mapping[str, Any] | None = None,
        again: Sequence[str] | None = None,
    ) -> RunState: ...


class Means(NamedTuple):
    """What a run is carried out with; the defaults leave no record and ask nobody.

    `world` is what the skills may touch; None: the working folder, and no private network. `implementations` are the
    caller's own, by skill id: where they have one, it counts. `confirm` is asked about steps that
    want an approval: yes, no, or None for not now. `observe` is told what happens, one thing at a time,
    by whichever thread carries the run on. `stoppable` is handed a function that ends the run; it may be called from a
    signal handler or another thread. `commands` are named where a person has to do something.
    """

    world: World | None = None
    record: Record | None = None
    implementations: Mapping[str, Implementation] = {}
    confirm: Callable[[Step], bool | None] = lambda step: None
    observe: Observer = lambda happening: None
    stoppable: Callable[[Callable[[], None]], None] = lambda stop: None
    commands: Commands = PLAIN


def run(
    plan: Plan,
    catalog: Catalog | None = None,
    limits: Limits | None = None,
    means: Means | None = None,
    *,
    force: bool = False,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    notes: Sequence[str] = (),
    gate: Callable[[SimulationResult], SimulationResult] = lambda result: result,
    ready: Callable[[SimulationResult], None] = lambda result: None,
    grant: Grant | None = None,
) -> RunResult:
    """Simulate a plan, and if it is feasible carry it out. What fails on the way is data in the result.

    With a verdict other than feasible nothing is run unless `force` says so: the result then has no state. `gate` gives
    the forecast back with what rules say; where they do not allow it, nothing is run, and `force` changes nothing about
    that. `ready` is told the forecast just before the first step; what it raises keeps the run from starting.

    A `grant` is held against the forecast, whatever `force` says, and used once the run is on record: steps that want a
    go-ahead of no higher level have it, and the run pauses before it costs more than was approved.

    Raises InputError(not_implemented) for skills that nothing here carries out, InputError(secret_missing) for secrets
    that are not there, AosError where the record can't be written.
    """
    using = _prepared(plan, catalog or default_catalog(), means or Means())
    forecast = gate(
        simulate(
            plan,
            using.catalog,
            limits,
            samples=samples,
            seed=seed,
            explain=False,
            alternatives=False,
            notes=notes,
        )
    )
    told = simulation(forecast, EXITS[forecast.verdict.decision])
    if not permitted(forecast, grant.level if grant else 0) or (
        forecast.verdict.decision != "feasible" and not force
    ):
        return RunResult(plan, told, None, forecast)
    budget = forecast.limits.budget_cents
    if grant is not None:
        grant.check(plan, using.catalog, forecast)
        most = grant.most_cents(forecast)
        told["approval"] = grant.record(most)
        budget = _least(budget, most)
    check_secrets(plan, using.world, using.means.implementations)
    ready(forecast)
    start = RunStart(
        _new_id(),
        dump_plan(plan),
        plan_digest(plan),
        _contract(plan, using.catalog),
        told,
        budget,
        forecast.limits.deadline_ms,
        using.clock(),
        forced=forecast.verdict.decision != "feasible",
    )
    using.record.begin(start)
    if grant is not None:
        _use(grant, start, using)
    return _carried_out(using, start, None)._replace(forecast=forecast)


def permitted(forecast: SimulationResult, level: int = 0) -> bool:
    """Whether the rules that were asked, if any were, allow the plan; or will, once it was approved at `level`."""
    return forecast.policy is None or rank(forecast.policy.decision, forecast.policy.level) <= level


def resume(
    name: str,
    catalog: Catalog | None = None,
    means: Means | None = None,
    *,
    budget_cents: Decimal | None = None,
    retry: bool = False,
    gate: Callable[[SimulationResult], SimulationResult] | None = None,
    grant: Grant | None = None,
) -> RunResult:
    """Go on with a run where its record ends; `budget_cents` is what it may now cost in all, None: as before.

    With `retry` try it again: steps that failed for good get another go, with all the attempts that the catalog grants,
    and what was skipped is decided anew. A run that has failed goes on only so.

    With a `gate` the plan is simulated as when the run began, and goes on only where the rules allow it now: else the
    result has no state, and the run is as it was. A run that used an approval keeps to it; a new `grant` takes its
    place.

    Steps that are committed are not done again. Raises AosError: run_not_found; run_conflict where nothing is left to
    do, or where the catalog now promises something else than when it began; approval_void where the rest has left the
    approval and there is no new one; and as `run` does.
    """
    catalog, means = catalog or default_catalog(), means or Means()
    record = means.record or Memory()
    before = record.state(name)
    start = before.start
    if before.status == "succeeded" or (before.status == "failed" and not retry):
        raise _over(before, means.commands)
    plan = _plan_of(start, catalog)
    using = _prepared(plan, catalog, means._replace(record=record))
    budget = start.budget_cents if budget_cents is None else budget_cents
    if gate is not None:
        forecast = gate(_again(using, start, budget))
        if not permitted(forecast, grant.level if grant else start.approval.get("level", 0)):
            return RunResult(plan, simulation(forecast, EXITS[forecast.verdict.decision]), None, forecast)
    ended = {step: end.outcome for step, end in before.steps.items()}
    again = failed_for_good(plan.steps, ended) if retry else None
    done = before.steps if again is None else left_of(before.steps, again)
    check_secrets(plan, using.world, using.means.implementations, done=done)
    given = None
    if grant is not None and grant.request != start.approval.get("request_id"):
        budget, given = _granted(using, grant, before, budget_cents)
    else:
        _check_bounds(before, budget, means.commands)
        if grant is not None:  # it only makes sure that it was used
            grant.use(start.id, plan)
    state = record.resume(name, using.clock(), budget, given, again)
    return _carried_out(using, state.start, state, frozenset(state.steps) if given else frozenset())


def _over(state: RunState, commands: Commands) -> AosError:
    run = state.start.id
    if state.status == "failed":
        again = f"`{commands.retry(run)}` gives what failed another go; what is done is not done again."
        return AosError(
            "run_conflict", f"run {run} has failed, and goes on only where it is tried again", fix=again
        )
    detail = f"run {run} has succeeded: nothing of it is left to do"
    return AosError("run_conflict", detail, fix="`aos run PLAN` begins a new one.")


def _plan_of(start: RunStart, catalog: Catalog) -> Plan:
    """The plan of a run that began. Raises AosError where the catalog is another: invalid_plan, run_conflict."""
    fix = "Resume it with the catalog that it began with (--catalog)."
    try:
        plan = parse_plan(start.plan, catalog, name=f"the plan of run {start.id}").plan
    except InputError as error:
        raise InputError(error.code, error.detail, fix=fix, findings=error.findings) from None
    if _contract(plan, catalog) != start.contract:
        detail = (
            f"run {start.id} began under another contract: versions, prices, effects, retry or limits changed"
        )
        raise AosError("run_conflict", detail, fix=fix)
    return plan


def _again(using: "_Using", start: RunStart, budget: Decimal | None) -> SimulationResult:
    """The forecast of a run that began, by as many samples and with the same luck."""
    before = start.simulation["inputs"]
    return simulate(
        using.plan,
        using.catalog,
        Limits(budget, start.deadline_ms, before["confidence"], before["min_success"]),
        samples=before["samples"],
        seed=before["seed"],
        explain=False,
        alternatives=False,
    )


def _use(grant: Grant, start: RunStart, using: "_Using") -> None:
    """Use the approval. A run that may not is on record as one that never began."""
    try:
        grant.use(start.id, using.plan)
    except AosError as error:
        if error.effect != "unknown":
            now = using.clock()
            using.record.end(RunEnd(start.id, "cancelled", now, 0.0, detail=f"{error.code}: {error.detail}"))
        raise


def _granted(
    using: "_Using", grant: Grant, before: RunState, budget: Decimal | None
) -> tuple[Decimal | None, Mapping[str, Any]]:
    """Hold a new approval against the forecast of now and use it; what the run may then cost in all, and its record."""
    limits = Limits(budget_cents=budget)
    forecast = simulate(using.plan, using.catalog, limits, explain=False, alternatives=False)
    grant.check(using.plan, using.catalog, forecast)
    grant.use(before.start.id, using.plan)
    most = grant.most_cents(forecast)
    return _least(forecast.limits.budget_cents, most), grant.record(most, before.active_ms)


def _check_bounds(before: RunState, budget: Decimal | None, commands: Commands) -> None:
    """Raise AosError(approval_void) where the approval of the run is not good for what is left, or for so much."""
    start, end = before.start, before.end
    if before.status == "paused" and end and end.cause == "envelope":
        raise _void(start, end.detail, commands)
    most = start.approval.get("most_cents")
    if most is not None and (budget is None or budget > Decimal(most)):
        raise _void(start, f"it is good for {most}c", commands)


def _void(start: RunStart, why: str, commands: Commands) -> AosError:
    return AosError(
        "approval_void",
        f"the approval of run {start.id} is not enough: {why}",
        fix=f"`{commands.request(start.id)}`, then resume with --approval ID.",
    )


def _least(*amounts: Decimal | None) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return min(known) if known else None


def irreversible(plan: Plan, catalog: Catalog) -> tuple[Step, ...]:
    """The steps whose effects can't be undone, with the plan's inputs in their parameters."""
    return tuple(
        step._replace(params=with_inputs(dict(step.params), plan.inputs))
        for step in plan.steps
        if _stays(catalog.skills[step.skill].effects_of(step.params))
    )


def _stays(effects: Effects) -> bool:
    return not effects.read_only and not effects.reversible


class _Using(NamedTuple):
    """A plan, and all that it is carried out with."""

    plan: Plan
    catalog: Catalog
    means: Means
    world: World
    record: Record
    implementations: Mapping[str, Implementation]
    clock: Callable[[], float]


def _prepared(plan: Plan, catalog: Catalog, means: Means) -> _Using:
    world = means.world or World(Path.cwd(), Secrets())
    can = carried_out_by(plan, catalog, world, means.implementations)
    return _Using(plan, catalog, means, world, means.record or Memory(), can, _clock())


def _carried_out(
    using: _Using, start: RunStart, past: RunState | None, known: Container[str] = ()
) -> RunResult:
    plan, catalog, means, world, record, can, clock = using
    settings = Settings(
        clock,
        can,
        record,
        {step["id"]: _reserve(step["cost_cents"]) for step in start.simulation["step_estimates"]},
        _confirming(start, means.confirm),
        world.secrets.get,
        lambda made: masked(made, world.secrets.masker),
        record.past_failures,
        means.observe,
        held_to(start, plan, catalog, known),
    )
    executor = Executor(start, plan, catalog, settings, past)
    means.stoppable(executor.stop)
    state = executor.run()
    if (scored := score(state)) is not None:
        record.score(start.id, scored)
    return RunResult(plan, start.simulation, state)


def _confirming(start: RunStart, ask: Callable[[Step], bool | None]) -> Callable[[Step], bool | None]:
    """Steps that want no higher level than was approved have their go-ahead; of others somebody is asked."""
    level = start.approval.get("level", 0)
    return lambda step: True if step.approval and step.approval <= level else ask(step)


def _contract(plan: Plan, catalog: Catalog) -> str:
    return catalog_contract_digest(catalog, {step.skill for step in plan.steps})


def _reserve(cost: Mapping[str, Any] | None) -> Decimal | None:
    """What is set aside before a step: the cost that 95 of 100 don't exceed. None: nobody knows, nothing is."""
    if cost is None:
        return None
    return Decimal(math.ceil(cost["p95"] * 1_000_000)) / 1_000_000


def _clock() -> Callable[[], float]:
    """Unix time in ms that never goes back."""
    offset = time.time() - time.monotonic()
    return lambda: (offset + time.monotonic()) * 1000


def _new_id() -> str:
    """Ids sort by the time they were given out."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
