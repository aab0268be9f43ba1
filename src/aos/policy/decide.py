"""Deciding one question: allowed as it is, after an approval of some level, or not at all.

The levels are asked of the rules themselves: each is a question with `approval_level` set to it. What not even level 5
may allow is denied, whatever is said of lower levels.
"""

import re
from functools import lru_cache
from json import dumps
from typing import Any, NamedTuple

from aos.domain.approvals.levels import LEVELS
from aos.domain.approvals.policies import Facts, PolicyDecision, Principal, Question, Rule, Ruling
from aos.policy.cedar import cedar
from aos.policy.rules import Policy

_EVALUATING = re.compile(r"error while evaluating policy `policy(\d+)`: (.*)", re.DOTALL)


class _Said(NamedTuple):
    allowed: bool
    rules: tuple[Rule, ...]
    errors: tuple[str, ...]


def decide(policy: Policy, question: Question) -> Ruling:
    """What the policy says. A rule that can't be evaluated, at any level that was asked about, denies."""
    asked = _request(question)
    entities = _entities(question.principal)
    free = _ask(policy, asked, entities, question.facts, 0)
    if free.errors:
        return _error(free)
    if free.allowed:
        return Ruling("allow", "permitted", None, free.rules)
    highest = _ask(policy, asked, entities, question.facts, LEVELS[-1])
    if highest.errors:
        return _error(highest)
    if not highest.allowed:
        return _refused("deny", None, highest.rules)
    for level in LEVELS[:-1]:
        said = _ask(policy, asked, entities, question.facts, level)
        if said.errors:
            return _error(said)
        if said.allowed:
            return _refused("requires_approval", level, free.rules)
    return _refused("requires_approval", LEVELS[-1], free.rules)


def allows(policy: Policy, question: Question) -> bool:
    """Whether the decision is `allow`: one call of Cedar, whatever the answer."""
    free = _ask(policy, _request(question), _entities(question.principal), question.facts, 0)
    return free.allowed and not free.errors


def matching(permits: Any, question: Question) -> set[int]:
    """The numbers of those rules, a set of permits alone, whose conditions hold at any level."""
    asked, entities = _request(question), _entities(question.principal)
    requests = [{**asked, "context": dumps(_context(question.facts, level))} for level in (0, *LEVELS)]
    answers = cedar().is_authorized_batch(requests, permits, entities)
    return {_number(name) for answer in answers for name in answer.diagnostics.reasons}


def _refused(decision: PolicyDecision, level: int | None, forbids: tuple[Rule, ...]) -> Ruling:
    """Where no rule forbids it, none permits it: Cedar names only rules that decided."""
    return Ruling(decision, "forbidden" if forbids else "not_permitted", level, forbids)


def _error(said: _Said) -> Ruling:
    return Ruling("deny", "error", None, said.rules, said.errors)


def _ask(policy: Policy, asked: dict[str, Any], entities: Any, facts: Facts, level: int) -> _Said:
    context = dumps(_context(facts, level))
    answer = cedar().is_authorized({**asked, "context": context}, policy.handle, entities)
    told = answer.diagnostics
    rules = tuple(
        policy.rules[int(name.removeprefix("policy"))] for name in sorted(told.reasons, key=_number)
    )
    errors = tuple(_named(policy, error) for error in told.errors)
    if answer.decision.value == "NoDecision" and not errors:
        errors = ("the question could not be asked",)
    return _Said(answer.decision.value == "Allow", rules, errors)


def _named(policy: Policy, error: str) -> str:
    """Cedar calls a rule by its number; people know it by its id."""
    found = _EVALUATING.match(error)
    return f"{policy.rules[int(found[1])].id}: {found[2]}" if found else error


def _number(name: str) -> int:
    return int(name.removeprefix("policy"))


def _request(question: Question) -> dict[str, Any]:
    kind = "Aos::Plan" if question.action == "run" else "Aos::Skill"
    return {
        "principal": {"type": "Aos::Agent", "id": question.principal.agent},
        "action": {"type": "Aos::Action", "id": question.action},
        "resource": {"type": kind, "id": question.resource},
    }


def _context(facts: Facts, level: int) -> dict[str, Any]:
    """What is unknown is left out."""
    known = {name: value for name, value in facts._asdict().items() if value is not None}
    return {**known, "approval_level": level}


@lru_cache(maxsize=1024)
def _entities(principal: Principal) -> Any:
    tenant = {"type": "Aos::Tenant", "id": principal.tenant}
    agent = {"uid": {"type": "Aos::Agent", "id": principal.agent}, "attrs": {}, "parents": [tenant]}
    return cedar().Entities.from_json_str(dumps([agent, {"uid": tenant, "attrs": {}, "parents": []}]))
