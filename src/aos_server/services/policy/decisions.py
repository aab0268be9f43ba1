"""Policy decisions: what is built in is asked, and the tenant's rules, and the stricter answer holds.

Built in are permissions and the budget that is left. The rules are those of the active policy, else those that ship. A
call is a plan of one step. What the rules look at comes out of its simulation, so that what a plan costs is said in
one place. Where nobody knows whether the budget holds, people decide: nothing unknown is ever allowed by itself.
"""

import pickle
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from aos.domain.approvals.policies import PolicyDecision, PolicyVerdict, StepRuling
from aos.domain.forecasts.verdicts import Limits, Reason
from aos.domain.plans.plan import Plan
from aos.policy.plans import sentence
from aos.wire.plans.calls import plain_call
from aos.wire.plans.read import plan_digest
from aos.wire.policies import ruling_document
from aos.wire.results.documents import Document, envelope, figure
from aos.wire.strict import Json
from aos_server.metrics import DECISIONS, FORECAST_CENTS, FORECAST_UNKNOWN, POLICY_ERRORS
from aos_server.services.policy.active import digest_of
from aos_server.services.policy.alike import Kind, Whole, kind_of, whole
from aos_server.services.runtime.simulations import Question, Simulation, forecast
from aos_server.services.tenants import Terms, catalog_of
from aos_server.services.workers import Workers

__all__ = ["Decided", "Decisions", "call_of", "count_errors", "decide", "document", "question"]

UNKNOWN_LEVEL = 3
"""Who may let through what nobody can price: a team lead."""

_SAMPLES = 10_000
_REMEMBERED, _LARGE = 4_000_000, 64_000
"""Bytes of all decisions that are kept, and of one, as they are pickled: those on calls have some 800 each."""
_FORBIDS = ("permission_denied", "skill_unavailable", "budget_insufficient")
_DOUBTS = ("unknown_cost", "unknown_items", "too_close")


class Decided(NamedTuple):
    """A decision, why, and what it would cost: the 95 % quantile, None where it is unknown.

    `level` is the least that an approver must have; None where nobody need be asked, or nobody can allow it. `policy`
    is the digest of the rules that were asked; `rulings` what they said of the plan and of each step, with the facts
    that they saw: none where there was nothing to simulate.
    """

    decision: PolicyDecision
    violations: tuple[Reason, ...]
    cost_cents: float | None
    level: int | None
    policy: str
    rulings: tuple[StepRuling, ...] = ()


def call_of(skill: str, payload: Mapping[str, Json]) -> Json:
    """The plan of one call."""
    return [{"skill": skill, "params": dict(payload)}]


def question(plan: Json, inputs: Mapping[str, Json], terms: Terms) -> Question:
    """What the engine is asked for a decision. Whoever also shows the forecast asks for more (`show`)."""
    limits = Limits(budget_cents=terms.budget.remaining_cents, min_success=0.0)
    return Question(plan, inputs, limits, _SAMPLES, seed=0, alternatives=False, show=False, judge=True)


class Decisions:
    """Decides, and remembers: the same question under the same terms has the same answer, and is not computed again.

    What holds (budget, permissions, catalog, rules) is a part of the question, so nothing ever has to be forgotten
    but for want of room. Of a call the question is its `Kind`: calls of one kind differ in nothing that decides.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._known = OrderedDict[Whole | Kind, tuple[Decided, int]]()
        self._bytes = 0

    async def call(
        self, skill: str, payload: Mapping[str, Json], inputs: Mapping[str, Json], terms: Terms
    ) -> Decided:
        """Decide on a call. Raises what `plan` raises."""
        plan, catalog = call_of(skill, payload), catalog_of(terms.catalog)
        call = None if inputs else plain_call(skill, payload, catalog)
        if call is None:
            return await self.plan(plan, inputs, terms)
        decided = await self._remembered(kind_of(call, catalog, terms), plan, inputs, terms)
        return _counted(_of(call, decided))

    async def plan(self, plan: Json, inputs: Mapping[str, Json], terms: Terms) -> Decided:
        """Decide on a plan. Raises AosError where it can't be computed now, which is never an `allow`."""
        return _counted(await self._remembered(whole(plan, inputs, terms), plan, inputs, terms))

    async def _remembered(
        self, key: Whole | Kind, plan: Json, inputs: Mapping[str, Json], terms: Terms
    ) -> Decided:
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key][0]
        decided = _decided(await forecast(self._workers, question(plan, inputs, terms), terms), terms)
        size = len(pickle.dumps(decided))
        if size <= _LARGE and key not in self._known:  # somebody else may have asked the same meanwhile
            self._known[key] = decided, size
            self._bytes += size
        while self._bytes > _REMEMBERED:
            self._bytes -= self._known.popitem(last=False)[1][1]
        return decided


def _of(call: Plan, decided: Decided) -> Decided:
    """What was decided on a call of this kind, as it is said of this one."""
    if not decided.rulings:
        return decided
    whole, *steps = decided.rulings
    asked = whole.question._replace(resource=plan_digest(call))
    return decided._replace(rulings=(whole._replace(question=asked), *steps))


def decide(found: Simulation, terms: Terms) -> Decided:
    """What holds for a simulation of which the rules were asked. Every decision is counted."""
    return _counted(_decided(found, terms))


def _counted(decided: Decided) -> Decided:
    DECISIONS.labels(decided.decision).inc()
    if decided.cost_cents is None:
        FORECAST_UNKNOWN.labels(decided.decision).inc()
    else:
        FORECAST_CENTS.labels(decided.decision).inc(decided.cost_cents)
    count_errors(decided.violations, decided.rulings)
    return decided


def count_errors(reasons: Iterable[Reason], rulings: Iterable[StepRuling]) -> None:
    """Count an answer for which rules could not be read or evaluated."""
    unreadable = any(reason.code == "invalid_policy" for reason in reasons)
    if unreadable or any(one.ruling.ground == "error" for one in rulings):
        POLICY_ERRORS.inc()


def _decided(found: Simulation, terms: Terms) -> Decided:
    policy, said = digest_of(terms.rules), found.said
    if said is None:
        return Decided("deny", found.reasons, None, None, policy)
    forbidden = [reason for reason in found.reasons if reason.code in _FORBIDS]
    forbidden += _refusals(said, "deny", "permission_denied")
    if forbidden:
        return Decided("deny", tuple(forbidden), found.cost_cents, None, policy, said.rulings)
    doubts = list(_doubts(found, terms))
    level = max(UNKNOWN_LEVEL if doubts else 0, found.approval_level or 0, said.level or 0)
    doubts += _refusals(said, "requires_approval", "approval_required")
    decision: PolicyDecision = "requires_approval" if level else "allow"
    return Decided(decision, tuple(doubts), found.cost_cents, level or None, policy, said.rulings)


def _doubts(found: Simulation, terms: Terms) -> Iterator[Reason]:
    """Why nobody knows whether the plan keeps to the budget, where there is one."""
    if terms.budget.total_cents is None:
        return
    yield from (reason for reason in found.reasons if reason.code in _DOUBTS)
    if unpriced := terms.budget.unpriced:
        detail = f"nobody knows what is left of the budget: {unpriced} recorded attempts have no known cost"
        yield Reason("unknown_cost", "", detail)


def _refusals(said: PolicyVerdict, decision: PolicyDecision, code: str) -> Iterator[Reason]:
    """The rules that decided so, each with the fact that would help most."""
    for one in said.rulings:
        if one.ruling.decision == decision:
            yield Reason(code, one.pointer, sentence(one.ruling, one.missing))


def document(decided: Decided, skill: str | None, tenant: str, timestamp: str) -> Document:
    """The document `aos.policy-decision/1`."""
    return {
        **envelope("aos.policy-decision/1"),
        "decision": decided.decision,
        "skill_id": skill,
        "tenant_id": tenant,
        "reasons": _reasons(decided),
        "violations": [reason._asdict() for reason in decided.violations],
        "simulated_cost_cents": figure(decided.cost_cents),
        "approval_level_required": decided.level,
        "policy_version": decided.policy,
        "rulings": [ruling_document(one) for one in decided.rulings],
        "timestamp": timestamp,
        "unknowns": []
        if decided.cost_cents is not None
        else [
            {
                "pointer": "/simulated_cost_cents",
                "reason": "nothing to simulate, or a price that nobody knows",
            }
        ],
    }


def _reasons(decided: Decided) -> list[str]:
    if decided.violations:
        return list(dict.fromkeys(reason.detail for reason in decided.violations))
    if decided.level:
        return [f"a step of the plan asks for an approval of level {decided.level}"]
    permits = dict.fromkeys(rule.id for one in decided.rulings for rule in one.ruling.rules)
    return [f"permitted by {', '.join(permits)}, and within the budget that is left"]
