"""What the bench asks and what it asks from: recorded runs, questions about them, families of both."""

import random
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import NamedTuple

from aos.domain.learning.calibration import Calibration
from aos.domain.learning.records import Coded, Records
from aos.domain.plans.plan import Plan, Step


class Call(NamedTuple):
    """A step of a plan: what it calls, under which conditions, after which steps, what it states of its size."""

    id: str
    skill: str
    conditions: tuple[str, ...]
    after: tuple[str, ...] = ()
    sizes: Mapping[str, float] = {}


class Row(NamedTuple):
    """A recorded step: the call, when it started and ended (ms), cost (cents), the code of its failure."""

    call: Call
    start: float
    end: float
    cost: float = nan
    code: str = ""


class Run(NamedTuple):
    """A recorded run of the case `about`, at time `when`, with what it came to: value in the case's unit, cents."""

    about: str
    when: float
    rows: tuple[Row, ...]
    value: float
    cents: float | None = None
    succeeded: bool | None = None


class Question(NamedTuple):
    """A case: forecast this plan. `unit_ms` is the unit of the answer; `given_success`: outcomes are of successes.

    `naive` is what the average durations of its parts come to, where the parts are no steps of the plan.
    """

    id: str
    calls: tuple[Call, ...]
    unit_ms: float
    given_success: bool = False
    says_success: bool = False
    says_cost: bool = False
    naive: float | None = None


class Fold(NamedTuple):
    """A split of the public records: learn from `past`, ask the questions, compare with the runs of each.

    `as_asked`: what is held back follows what is known as the outcomes of the cases follow the public records.
    """

    name: str
    past: Sequence[Run]
    asked: Sequence[tuple[Question, Sequence[Run]]]
    as_asked: bool = False


class Family(NamedTuple):
    """Cases of one kind: conditions `by` which skills vary, all public runs, all questions, splits to score by."""

    name: str
    by: tuple[str, ...]
    runs: Sequence[Run]
    questions: Sequence[Question]
    folds: Sequence[Fold]


def sparse(fold: Fold) -> Iterator[Fold]:
    """The same questions, with 5 or 10 records of each plan alone: the first, the last, some at random."""
    of: dict[str, list[Run]] = defaultdict(list)
    for run in fold.past:
        of[run.about].append(run)
    for count in (5, 10):
        draw = random.Random(count)
        kept = {
            "first": [run for runs in of.values() for run in runs[:count]],
            "last": [run for runs in of.values() for run in runs[-count:]],
            "random": [run for runs in of.values() for run in draw.sample(runs, min(count, len(runs)))],
        }
        for name, past in kept.items():
            yield fold._replace(name=f"{fold.name}, {name} {count}", past=past)


def records(runs: Sequence[Run], by: tuple[str, ...]) -> Records:
    """The runs as records."""
    rows = [(str(i), row) for i, run in enumerate(runs) for row in run.rows]
    sizes = dict.fromkeys(name for _, row in rows for name in row.call.sizes)
    return Records(
        run=_coded([name for name, _ in rows]),
        step=_coded([row.call.id for _, row in rows]),
        skill=_coded([row.call.skill for _, row in rows]),
        start_ms=array("d", [row.start for _, row in rows]),
        end_ms=array("d", [row.end for _, row in rows]),
        cost_cents=array("d", [row.cost for _, row in rows]),
        failed=bytearray(bool(row.code) for _, row in rows),
        code=_coded([row.code for _, row in rows]),
        attempt=array("i", [1] * len(rows)),
        after=_coded([" ".join(row.call.after) for _, row in rows]),
        conditions={name: _coded([row.call.conditions[k] for _, row in rows]) for k, name in enumerate(by)},
        features={name: array("d", [row.call.sizes.get(name, nan) for _, row in rows]) for name in sizes},
    )


def plan(question: Question, learned: Calibration) -> Plan:
    """The question's plan, its steps calling the variants that were learned."""
    return Plan(
        tuple(
            Step(call.id, learned.variant(call.skill, call.conditions), dict(call.sizes), call.after)
            for call in question.calls
        )
    )


def _coded(values: Sequence[str]) -> Coded:
    codes: dict[str, int] = {}
    numbers = array("i", [codes.setdefault(value, len(codes)) if value else -1 for value in values])
    return Coded(numbers, tuple(codes))
