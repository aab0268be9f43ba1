"""What other rules would have said of what is on record, by the same code that decides.

Questions that a policy can't tell apart are asked once, however many records ask them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from aos.domain.approvals.policies import Facts, PolicyDecision, Question, Rule, Ruling
from aos.domain.approvals.replays import CHANGES, Answer, Answers, Asked, Near, Recorded, Replay, Row, RuleUse
from aos.policy.alike import alike
from aos.policy.cedar import cedar
from aos.policy.decide import decide, matching
from aos.policy.missing import strictness
from aos.policy.rules import Policy

__all__ = ["answered", "replay"]

_MOVED = ("cost_p95_cents", "duration_p95_ms", "success_bp")
_NEAR = 1_000
"""Of so many different records, the most frequent, it is found out whether they were near to another answer."""

Enough = Callable[[], bool]
Kind = tuple[Asked, ...]
"""What is asked about a record. Records of one kind have one answer."""


def replay(
    current: Policy, candidate: Policy, records: Iterable[Recorded], enough: Enough = lambda: False
) -> Replay:
    """Ask both policies about every record. The order of these makes no difference.

    Where the caller has had `enough`, what is left is not looked at, and counted.
    """
    judges = _Judge(current, enough), _Judge(candidate, enough)
    rows, left_off = list[Row](), 0
    for one in records:
        try:
            said = None if one.asked is None else Answers(*(judge(one.asked) for judge in judges))
            rows.append(Row(one, said))
        except _EnoughError:
            left_off += 1
    rows.sort(key=_place)
    kinds = _kinds(rows)
    return Replay(
        tuple(rows),
        current.digest,
        candidate.digest,
        tuple(_uses(candidate, rows, kinds, enough)),
        tuple(_near(judges[1], kinds)),
        left_off,
    )


def answered(rulings: Sequence[tuple[str, Ruling]]) -> Answer:
    """The strictest of what was said of the plan and its steps (the plan first), and every rule that said so."""
    strictest = max(strictness(ruling) for _, ruling in rulings)
    said = [(step, ruling) for step, ruling in rulings if strictness(ruling) == strictest]
    step, first = said[0]
    rules = dict.fromkeys(rule.id for _, ruling in said for rule in ruling.rules)
    return Answer(first.decision, first.level, first.ground, tuple(rules), step)


class _EnoughError(Exception):
    """There is no time for more."""


class _Judge:
    """A policy, and what it has said so far."""

    def __init__(self, policy: Policy, enough: Enough) -> None:
        self.policy = policy
        self._enough = enough
        self._alike = alike(str(policy.handle))
        self._answers = dict[Kind, Answer]()
        self._rulings = dict[Question, Ruling]()

    def __call__(self, asked: Kind) -> Answer:
        """What it says. Raises _EnoughError."""
        known = self._answers.get(asked)
        if known is None:
            known = answered([(one.step, self._ruling(one.question)) for one in asked])
            self._answers[asked] = known
        return known

    def _ruling(self, asked: Question) -> Ruling:
        question = self._alike(asked)
        known = self._rulings.get(question)
        if known is None:
            if self._enough():
                raise _EnoughError
            known = self._rulings[question] = decide(self.policy, question)
        return known


def _place(row: Row) -> tuple[int, float, str, str]:
    """Where a row stands: the most serious change first, what can't be told last, the newest first among equals."""
    kind = row.change
    order = CHANGES.index(kind) if kind else len(CHANGES) + (row.said is None)
    return order, -(row.recorded.at_ms or 0.0), row.recorded.source, row.recorded.id


def _kinds(rows: Iterable[Row]) -> Mapping[Kind, Sequence[str]]:
    """The ids of the records of each kind, the most frequent kind first."""
    found = defaultdict[Kind, list[str]](list)
    for row in rows:
        if row.said and row.recorded.asked:
            found[row.recorded.asked].append(row.recorded.id)
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), min(one[1]))))


# -- rules of the candidate --------------------------------------------------------------------------------------------


def _uses(policy: Policy, rows: Iterable[Row], kinds: Iterable[Kind], enough: Enough) -> Iterator[RuleUse]:
    decided = defaultdict[str, Counter[PolicyDecision]](Counter)
    for _, said in rows:
        if said:
            for name in said.after.rules:
                decided[name][said.after.decision] += 1
    silent = [i for i, rule in enumerate(policy.rules) if rule.id not in decided]
    matched = _matched(policy, silent, kinds, enough)
    for rule in policy.rules:
        did = decided.get(rule.id)
        yield RuleUse(rule, did or {}, True if did else matched(rule))


def _matched(
    policy: Policy, silent: Sequence[int], kinds: Iterable[Kind], enough: Enough
) -> Callable[[Rule], bool | None]:
    """Whether the conditions of a rule that never decided held for any question, at any level.

    Cedar names the rules that decided. So these are asked alone, each as if it were a permit: then all that match do.
    """
    left, complete = set(silent), True
    asking = _permits(policy, left)
    same = alike(str(asking))
    for question in {same(one.question) for asked in kinds for one in asked}:
        if not left:
            break
        if enough():
            complete = False
            break
        if found := matching(asking, question) & left:
            left -= found
            asking = _permits(policy, left)
    never = {policy.rules[i].id for i in left}
    return lambda rule: rule.id not in never or (False if complete else None)


def _permits(policy: Policy, wanted: set[int]) -> Any:
    """A set of these rules alone, under the names that they have in the policy, each as a permit."""
    told = json.loads(cedar().policies_to_json_str(str(policy.handle)))
    kept = {f"policy{i}": {**told["staticPolicies"][f"policy{i}"], "effect": "permit"} for i in wanted}
    return cedar().PolicySet.from_json_str(json.dumps({**told, "staticPolicies": kept}))


# -- near misses -------------------------------------------------------------------------------------------------------


def _near(judge: _Judge, kinds: Mapping[Kind, Sequence[str]]) -> Iterator[Near]:
    """For each figure that the rules speak of. Figures of a plan and its steps move together."""
    text = str(judge.policy.handle)
    for fact in _MOVED:
        if fact not in text:
            continue
        looked, stricter, looser = 0, list[str](), list[str]()
        for asked, ids in islice(kinds.items(), _NEAR):
            try:
                now = judge(asked).strictness
                worse, better = (judge(_moved(asked, fact, factor)).strictness for factor in (11, 9))
            except _EnoughError:
                return
            if fact == "success_bp":
                worse, better = better, worse
            looked += len(ids)
            stricter += ids if worse > now else ()
            looser += ids if better < now else ()
        yield Near(fact, looked, tuple(sorted(stricter)), tuple(sorted(looser)))


def _moved(asked: Kind, fact: str, tenths: int) -> Kind:
    """The same with so many tenths of the figure, which stays a whole number and a chance at most certain."""
    return tuple(one._replace(question=_with(one.question, fact, tenths)) for one in asked)


def _with(question: Question, fact: str, tenths: int) -> Question:
    value = getattr(question.facts, fact)
    if value is None:
        return question
    moved = -(-value * tenths // 10) if tenths > 10 else value * tenths // 10
    most = 10_000 if fact == "success_bp" else moved
    facts: Facts = question.facts._replace(**{fact: min(moved, most)})
    return question._replace(facts=facts)
