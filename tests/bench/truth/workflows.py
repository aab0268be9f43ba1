"""Scientific workflows, as far as single skills go: how each took longer or shorter than its size would tell.

Task times are learned by type (log-linear in the size of the input), the makespan by a ridge regression of its log
on what follows from them: the longest path, the work by cores, how many tasks, how deep. What calibration sees is
one step a run, the recorded makespan by that size, under the conditions application and system. A forecast is the
size times what it learned.
"""

import csv
import gzip
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.bench.truth.cases import Call, Family, Fold, Question, Row, Run

Array = np.ndarray

_ANY = "any"
_RIDGE = 5.0
_SLOPE = (-0.5, 1.5)
_BEYOND = 0.7
"""How far (in log bytes) beyond the sizes seen the slope is followed."""
_LEAST_BYTES, _LEAST_SECONDS = 1e3, 0.05
_FEATURE_RIDGE, _EFFECT_RIDGE, _LEAST_SPREAD = 0.1, 0.3, 0.3


class Task(NamedTuple):
    """A task: its kind, log bytes of its input, the tasks before it, seconds it took where known."""

    kind: str
    log_bytes: float
    parents: tuple[int, ...]
    seconds: float


class Instance(NamedTuple):
    """A workflow that ran, or will: where, with how many cores, what it took where known."""

    name: str
    app: str
    system: str
    when: float
    cores: int
    makespan: float
    tasks: tuple[Task, ...]


class Line(NamedTuple):
    """ln seconds of a kind of task: `level` at `centre` log bytes, `slope`, sizes seen, ln of mean over exp mean."""

    level: float
    centre: float
    slope: float
    low: float
    high: float
    lift: float

    def seconds(self, log_bytes: float) -> float:
        """Expected seconds of a task with that input."""
        size = min(max(log_bytes, self.low - _BEYOND), self.high + _BEYOND)
        return math.exp(self.level + self.slope * (size - self.centre) + self.lift)


def read(folder: Path, cases: Sequence[dict[str, Any]]) -> Family:
    """The family: learn from recorded instances, forecast those of which only the tasks are known."""
    known = _instances(folder / "wf_instances.csv", folder / "wf_tasks.csv.gz")
    unknown = _instances(folder / "wf_instances_to_predict.csv", folder / "wf_tasks_to_predict.csv.gz")
    by_name = {i.name: i for i in unknown}
    asked = [by_name[case["case_id"].partition(":")[2]] for case in cases]
    place: dict[str, int] = defaultdict(int)
    halves: tuple[list[Instance], list[Instance]] = ([], [])
    for instance in known:
        halves[place[instance.app] % 2].append(instance)
        place[instance.app] += 1
    folds = []
    for k, name in ((0, "odd by even"), (1, "even by odd")):
        past, questions = _family(halves[1 - k], halves[k])
        later = [[Run(q.id, i.when, (), i.makespan)] for q, i in zip(questions, halves[k], strict=True)]
        folds.append(Fold(name, past, list(zip(questions, later, strict=True))))
    runs, questions = _family(known, asked)
    return Family("wf_makespan", ("app", "system"), runs, questions, folds)


def _family(past: Sequence[Instance], asked: Sequence[Instance]) -> tuple[list[Run], list[Question]]:
    """What an application or a system that was never seen may do is told by all that were, their effects not known."""
    lines = _lines(past)
    size = _Size(past, np.array([_features(i, lines) for i in past]))
    runs = []
    for instance in past:
        for conditions in _views(instance):
            ratio = instance.makespan / size.of(conditions, _features(instance, lines))
            call = Call("w", "workflow", conditions)
            row = Row(call, instance.when, instance.when + ratio * 1000)
            runs.append(Run(f"wf:{instance.name}", instance.when, (row,), instance.makespan))
    seen = {run.rows[0].call.conditions for run in runs}
    questions = []
    for instance in asked:
        conditions = next(view for view in _views(instance) if view in seen)
        expected = size.of(conditions, _features(instance, lines))
        call = Call("w", "workflow", conditions)
        questions.append(Question(f"wf:{instance.name}", (call,), 1000 / expected))
    return runs, questions


def _views(instance: Instance) -> tuple[tuple[str, str], ...]:
    return (instance.app, instance.system), (_ANY, instance.system), (_ANY, _ANY)


class _Size:
    """ln makespan = features, the system and the application, all drawn to 0 but the constant (ridge)."""

    def __init__(self, past: Sequence[Instance], features: Array) -> None:
        self._mean, self._spread = features.mean(axis=0), np.maximum(features.std(axis=0), _LEAST_SPREAD)
        self._effects = [*sorted({i.system for i in past}), *sorted({i.app for i in past})]
        design = np.array([self._row((i.app, i.system), x) for i, x in zip(past, features, strict=True)])
        count = features.shape[1]
        ridge = np.diag([1e-6, *[_FEATURE_RIDGE] * count, *[_EFFECT_RIDGE] * len(self._effects)])
        target = np.log([i.makespan for i in past])
        self._weights = np.linalg.solve(design.T @ design + ridge, design.T @ target)

    def of(self, conditions: tuple[str, str], features: Array) -> float:
        """Expected seconds, given application and system."""
        return float(np.exp(self._row(conditions, features) @ self._weights))

    def _row(self, conditions: tuple[str, str], features: Array) -> Array:
        effects = [float(name in conditions) for name in self._effects]
        return np.array([1.0, *(features - self._mean) / self._spread, *effects])


def _features(instance: Instance, lines: Mapping[str, Line]) -> Array:
    seconds = [
        (lines.get(f"{instance.app}|{t.kind}") or lines.get(instance.app) or lines[_ANY]).seconds(t.log_bytes)
        for t in instance.tasks
    ]
    path, spread = _longest(instance, seconds), sum(seconds) / instance.cores
    depth = _longest(instance, [1.0] * len(seconds))
    return np.log([path, max(path, spread) + spread, len(seconds), depth])


def _longest(instance: Instance, seconds: Sequence[float]) -> float:
    """The longest path; tasks may be listed in any order."""
    ends = [math.nan] * len(seconds)
    for first in range(len(seconds)):
        stack = [first]
        while stack:
            i = stack[-1]
            waiting = [p for p in instance.tasks[i].parents if math.isnan(ends[p])]
            if waiting:
                stack += waiting
                continue
            ends[i] = seconds[i] + max((ends[p] for p in instance.tasks[i].parents), default=0.0)
            stack.pop()
    return max(ends)


def _lines(past: Sequence[Instance]) -> dict[str, Line]:
    """A line for each kind of task of an application, for each application and for all."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for instance in past:
        for task in instance.tasks:
            point = (task.log_bytes, math.log(task.seconds + _LEAST_SECONDS))
            for key in (f"{instance.app}|{task.kind}", instance.app, _ANY):
                found[key].append(point)
    return {key: _line(np.array(points)) for key, points in found.items()}


def _line(points: np.ndarray) -> Line:
    size, logs = points.T
    centred = size - size.mean()
    slope = float(np.clip(centred @ (logs - logs.mean()) / (centred @ centred + _RIDGE), *_SLOPE))
    left = logs - logs.mean() - slope * centred
    return Line(logs.mean(), size.mean(), slope, size.min(), size.max(), min(float(left.var()), 4.0) / 2)


def _instances(listed: Path, tasks: Path) -> list[Instance]:
    found: dict[str, list[Task]] = defaultdict(list)
    with gzip.open(tasks, "rt", newline="") as file:
        for row in csv.DictReader(file):
            found[row["instance"]].append(
                Task(
                    kind=re.sub(r"\d+", "#", row["type"]),
                    log_bytes=math.log(float(row["input_bytes"] or 0) + _LEAST_BYTES),
                    parents=tuple(map(int, row["parents"].split())),
                    seconds=float(row.get("runtime_s") or "nan"),
                )
            )
    with listed.open(newline="") as file:
        return [
            Instance(
                name=row["instance"],
                app=row["app"],
                system=row["system"],
                when=_moment(row["executed_at"]),
                cores=int(float(row["cores"] or 1)) or 1,
                makespan=float(row.get("makespan_s") or "nan"),
                tasks=tuple(found[row["instance"]]),
            )
            for row in csv.DictReader(file)
        ]


def _moment(text: str) -> float:
    """Milliseconds since 1970; 0 where the form is unknown."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S%z").timestamp() * 1000
    except ValueError:
        return 0.0
