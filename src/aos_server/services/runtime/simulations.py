"""Simulations: a caller's plan, forecast with what holds for their tenant."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aos.api.forecast.simulate import simulate
from aos.domain.approvals.envelopes import Departure, departures
from aos.domain.approvals.envelopes import envelope as envelope_of
from aos.domain.approvals.policies import PolicyVerdict, Principal
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Decision, Limits, Reason, Status
from aos.domain.plans.plan import Plan
from aos.domain.plans.sizes import MAX_STEPS_API
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, Exit, InputError
from aos.policy.plans import evaluate, ruled, undecided
from aos.policy.rules import Policy
from aos.wire.encode import one_line
from aos.wire.envelopes import changed, dump_envelope, parse_envelope
from aos.wire.plans.read import parse_plan
from aos.wire.problems import MAX_ERRORS, problem
from aos.wire.results.documents import Document, envelope, money
from aos.wire.results.simulations import EXITS, simulation
from aos.wire.shape import at
from aos.wire.strict import Json
from aos_server.services.policy.active import policy_of
from aos_server.services.tenants import Terms, catalog_of
from aos_server.services.workers import Workers

__all__ = ["Approved", "Question", "Simulation", "forecast"]

_FIX = "mend it and push it, or let an earlier one hold: `aos policy list`, `aos policy activate VERSION`"
_HEAVY = 1_000_000
"""Samples times steps from which a plan counts as heavy: about a quarter of a second of computing."""


class Approved(NamedTuple):
    """What somebody approved: the documents of the plan and of its envelope."""

    plan: Json
    envelope: Json


class Question(NamedTuple):
    """A plan as it came, and what was asked about it. Limits that are None fall back to the plan's own.

    `show`: somebody reads the answer, which then tells what the plan's risks and costs come from; that takes most of
    the time. `judge`: the tenant's rules are asked. `obey`: and the verdict follows them; else what they say is told
    beside it. `bind`: it is said what an approval would bind. `approved`: what was approved before, to hold this
    against.
    """

    plan: Json
    inputs: Mapping[str, Json]
    limits: Limits
    samples: int
    seed: int
    alternatives: bool | None = None
    show: bool = True
    judge: bool = False
    obey: bool = False
    bind: bool = False
    approved: Approved | None = None

    @property
    def heavy(self) -> bool:
        """Whether its computing may take long. A guess: nobody has checked the plan yet."""
        steps = self.plan.get("steps") if isinstance(self.plan, dict) else self.plan
        count = sum(map(_repeats, steps)) if isinstance(steps, list) else 0
        return count * self.samples >= _HEAVY


class Simulation(NamedTuple):
    """An answer: the JSON document (b"" where nobody reads it), and what a policy decides on. The reasons of an invalid
    plan are what is wrong.

    `cost_cents` is the 95 % quantile of the plan's cost, None where it is unknown; `approval_level` the highest that a
    step asks for; `said` is what the tenant's rules say (None: they were not asked, or could not be). `envelope` is
    what an approval would bind, `departures` are what is no longer as it was approved.
    """

    body: bytes
    decision: Decision
    status: Status
    reasons: tuple[Reason, ...] = ()
    cost_cents: float | None = None
    approval_level: int | None = None
    said: PolicyVerdict | None = None
    envelope: Document | None = None
    departures: tuple[Departure, ...] = ()


async def forecast(workers: Workers, question: Question, terms: Terms) -> Simulation:
    """Simulate a plan. Raises AosError where it can't be computed now."""
    return await workers.run(compute, question, terms, heavy=question.heavy)


def compute(question: Question, terms: Terms) -> Simulation:
    """`forecast`, in this process. A plan that is wrong in itself is an answer, too."""
    catalog = catalog_of(terms.catalog)
    rules, unread = _rules(terms) if question.judge else (None, None)
    if unread and not question.obey:
        return Simulation(b"", "undetermined", "undetermined", (unread,))
    try:
        parsed = parse_plan(
            question.plan, catalog, name="plan", inputs=question.inputs, max_steps=MAX_STEPS_API
        )
    except InputError as error:
        wrong = tuple(
            Reason(found.code, found.pointer, found.detail) for found in error.findings[:MAX_ERRORS]
        )
        return Simulation(_line(_invalid(error, question.limits)), "infeasible", "invalid_plan", wrong)

    def said(of: SimulationResult) -> PolicyVerdict | None:
        return evaluate(rules, of, Principal(terms.tenant, terms.agent)) if rules else None

    def obeying(of: SimulationResult) -> SimulationResult:
        """The simulation with what the rules say, or with why nobody knows what they would."""
        if unread:
            return undecided(of, unread)
        found = said(of)
        return ruled(of, found) if found else of

    result = simulate(
        parsed.plan,
        catalog,
        question.limits,
        samples=question.samples,
        seed=question.seed,
        explain=question.show,
        alternatives=False if unread else question.alternatives,
        notes=parsed.notes,
        refused=tuple(_refused(parsed.plan, terms)),
        gate=obeying if question.obey else None,
    )
    verdict, cost = result.verdict, result.forecast.cost
    # What is left of the tenant's budget moves; what an approval binds is the plan's own.
    limits = result.limits._replace(budget_cents=result.plan.budget_cents)
    bound = result._replace(policy=result.policy if question.obey else said(result), limits=limits)
    return Simulation(
        _line(_answer(result)) if question.show else b"",
        verdict.decision,
        verdict.status,
        verdict.reasons,
        None if cost is None else cost.p95.value,
        max((approval.level for approval in verdict.approvals), default=None),
        bound.policy,
        dump_envelope(envelope_of(bound)) if question.bind else None,
        tuple(_departures(question.approved, bound, catalog)) if question.approved else (),
    )


def _departures(approved: Approved, now: SimulationResult, catalog: Catalog) -> Iterator[Departure]:
    """In what this is no longer what was approved; of a plan that is another one, every value."""
    for one in departures(parse_envelope(approved.envelope), now):
        if one.code != "plan_changed":
            yield one
            continue
        try:
            was = parse_plan(approved.plan, catalog, name="plan", max_steps=MAX_STEPS_API)
        except InputError:  # it calls a skill that is gone
            yield one
        else:
            yield from changed(was.plan, now.plan)


def _rules(terms: Terms) -> tuple[Policy | None, Reason | None]:
    """The active policy; or, where an earlier version took it and this one does not, that nobody can read it."""
    try:
        return policy_of(terms.rules), None
    except InputError as error:
        detail = f"the active policy can't be read any more: {error.findings[0].detail}"
        return None, Reason("invalid_policy", "", f"{detail}; {_FIX}")


def _refused(plan: Plan, terms: Terms) -> Iterator[Reason]:
    for i, step in enumerate(plan.steps):
        if not terms.allows(step.skill):
            yield Reason("permission_denied", at("/steps", i, "skill"), f"{step.skill} is not permitted here")


def _answer(result: SimulationResult) -> Document:
    """`aos.simulation/1`; risks and steps bear the names, too, by which clients of this API have always read them."""
    document = simulation(result, EXITS[result.verdict.decision])
    index = {step.id: i for i, step in enumerate(result.plan.steps)}
    for risk in document["risks"]:
        i = index[risk["step"]]
        risk |= {
            "step_index": i,
            "skill_id": result.plan.steps[i].skill,
            "risk_type": risk["code"],
            "probability": risk["chance_met"],
        }
    for step in document["step_estimates"]:
        step |= {
            "step_index": index[step["id"]],
            "skill_id": step["skill"],
            "estimated_cost_cents": step["typical_cost_cents"],
            "estimated_latency_ms": step["typical_duration_ms"],
        }
    return document


def _invalid(error: AosError, limits: Limits) -> Document:
    """The document `aos.invalid-plan/1`: the keys of a simulation, as far as they say anything, and what is wrong."""
    told = problem(error)
    return {
        **envelope("aos.invalid-plan/1"),
        "verdict": "infeasible",
        "feasible": False,
        "status": "invalid_plan",
        "exit_code": int(Exit.USAGE),
        "estimated_cost_cents": None,
        "estimated_duration_ms": None,
        "budget_cents": money(limits.budget_cents),
        "budget_remaining_cents": None,
        "budget_sufficient": None,
        **{key: [] for key in ("permission_gaps", "risks", "step_estimates", "alternatives", "warnings")},
        "errors": told["errors"],
        "errors_omitted": told["errors_omitted"],
        "fix": told["fix"],
    }


def _line(document: Document) -> bytes:
    return one_line(document).encode()


def _repeats(step: Any) -> int:
    repeats = step.get("iterations", 1) if isinstance(step, dict) else 1
    return repeats if isinstance(repeats, int) else 1
