"""What fact would make the answer better: found by asking again with one fact changed, never by reading rules."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from aos.domain.plans import MAX_STEPS_API
from aos.domain.policies import Missing, Question, Ruling
from aos.policy.decide import decide
from aos.policy.rules import Policy

_NUMBERS = {"cost_p95_cents": 10**12, "duration_p95_ms": 10**12, "success_bp": 10_000, "steps": MAX_STEPS_API}
"""Facts that are numbers, and how large each is tried."""
_FLAGS = ("read_only", "idempotent", "destructive", "reversible", "open_world")
_WORST = 7


class _Better(NamedTuple):
    """A tried value with a better answer than now."""

    value: int
    ruling: Ruling


def missing(policy: Policy, question: Question) -> tuple[Missing, ...]:
    """Single facts with which the answer would be better, the best first. None where it is `allow`, or an error."""
    now = decide(policy, question)
    if now.decision == "allow" or now.ground == "error":
        return ()
    found = [*_numbers(policy, question, now), *_risks(policy, question, now), *_flags(policy, question, now)]
    return tuple(sorted(found, key=lambda one: _rank(one.decision, one.level)))


def strictness(ruling: Ruling) -> int:
    """0 for allow, 1 to 5 for the level of an approval, more for deny."""
    return _WORST if ruling.ground == "error" else _rank(ruling.decision, ruling.level)


def _rank(decision: str, level: int | None) -> int:
    return {"allow": 0, "deny": _WORST - 1}.get(decision, level or 0)


def _with(question: Question, **facts: Any) -> Question:
    return question._replace(facts=question.facts._replace(**facts))


def _numbers(policy: Policy, question: Question, now: Ruling) -> Iterator[Missing]:
    """For each number the way down to 0 and the way up; the better of both, and how far it need not go."""
    for fact, most in _NUMBERS.items():

        def tried(value: int, fact: str = fact) -> Ruling:
            return decide(policy, _with(question, **{fact: value}))

        least = 1 if fact == "steps" else 0
        ends = [_Better(end, tried(end)) for end in (least, most)]
        better = [end for end in ends if strictness(end.ruling) < strictness(now)]
        if better:
            yield _bound(
                fact, min(better, key=lambda end: strictness(end.ruling)), question, tried, least, most
            )


def _bound(
    fact: str,
    end: _Better,
    question: Question,
    tried: Callable[[int], Ruling],
    least: int,
    most: int,
) -> Missing:
    """Bisect between an end that is good and the value there is; where that is unknown, the other end.

    Where both ends are equally good it is enough that the fact is known, so the bound is the end of what is tried.
    """
    relation: Literal["<=", ">="] = "<=" if end.value == least else ">="
    now: int | None = getattr(question.facts, fact)
    good, bad = end.value, now if now is not None else (most if end.value == least else least)
    wanted = strictness(end.ruling)
    if strictness(tried(bad)) <= wanted:
        good = bad
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if strictness(tried(middle)) <= wanted else (good, middle)
    ruling = tried(good)
    return Missing(fact, relation, good, ruling.decision, ruling.level)


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
