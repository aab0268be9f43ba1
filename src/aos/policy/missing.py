"""What fact would make the answer better: found by asking again with one fact changed, never by reading rules."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from aos.domain.approvals.policies import Missing, Question, Ruling, rank
from aos.domain.plans.sizes import MAX_STEPS_API
from aos.policy.decide import allows, decide
from aos.policy.rules import Policy

_NUMBERS = {"cost_p95_cents": 10**12, "duration_p95_ms": 10**12, "success_bp": 10_000, "steps": MAX_STEPS_API}
"""Facts that are numbers, and how large each is tried."""
_FLAGS = ("read_only", "idempotent", "destructive", "reversible", "open_world")
_WORST = 7


@lru_cache(maxsize=1024)
def missing(policy: Policy, question: Question) -> tuple[Missing, ...]:
    """Single facts with which the answer would be better, the best first. None where it is `allow`, or an error.

    Remembered, since steps of one plan, and calls of one skill, are often the same question.
    """
    now = decide(policy, question)
    if now.decision == "allow" or now.ground == "error":
        return ()
    found = [*_numbers(policy, question, now), *_risks(policy, question, now), *_flags(policy, question, now)]
    return tuple(sorted(found, key=lambda one: rank(one.decision, one.level)))


def strictness(ruling: Ruling) -> int:
    """0 for allow, 1 to 5 for the level of an approval, more for deny."""
    return _WORST if ruling.ground == "error" else rank(ruling.decision, ruling.level)


def _with(question: Question, **facts: Any) -> Question:
    return question._replace(facts=question.facts._replace(**facts))


def _numbers(policy: Policy, question: Question, now: Ruling) -> Iterator[Missing]:
    """For each number the way down to its least and the way up; the better of both, and how far it need not go."""
    for fact, most in _NUMBERS.items():
        least = 1 if fact == "steps" else 0
        reached = [(strictness(decide(policy, _with(question, **{fact: end}))), end) for end in (least, most)]
        wanted, end = min(reached)
        if wanted < strictness(now):
            good = partial(_as_good, policy, question, fact, wanted)
            value = _bound(end, getattr(question.facts, fact), least, most, good)
            ruling = decide(policy, _with(question, **{fact: value}))
            yield Missing(fact, "<=" if end == least else ">=", value, ruling.decision, ruling.level)


def _as_good(policy: Policy, question: Question, fact: str, wanted: int, value: int) -> bool:
    """Whether the answer with that value is no stricter than wanted. Whether it is `allow` takes one call of Cedar."""
    tried = _with(question, **{fact: value})
    return allows(policy, tried) if wanted == 0 else strictness(decide(policy, tried)) <= wanted


def _bound(end: int, now: int | None, least: int, most: int, good: Callable[[int], bool]) -> int:
    """Bisect between an end that is good and the value there is; where that is unknown, the other end.

    Where the other end is good as well it is enough that the fact is known, so the bound is the end of what is tried.
    """
    yes, no = end, now if now is not None else (most if end == least else least)
    if good(no):
        return no
    while abs(yes - no) > 1:
        middle = (yes + no) // 2
        yes, no = (middle, no) if good(middle) else (yes, middle)
    return yes


def _risks(policy: Policy, question: Question, now: Ruling) -> Iterator[Missing]:
    for risk in question.facts.risks or ():
        rest = tuple(other for other in question.facts.risks or () if other != risk)
        ruling = decide(policy, _with(question, risks=rest))
        if strictness(ruling) < strictness(now):
            yield Missing("risks", "without", risk, ruling.decision, ruling.level)


def _flags(policy: Policy, question: Question, now: Ruling) -> Iterator[Missing]:
    for flag in _FLAGS:
        other = not getattr(question.facts, flag)
        ruling = decide(policy, _with(question, **{flag: other}))
        if strictness(ruling) < strictness(now):
            yield Missing(flag, "=", other, ruling.decision, ruling.level)
