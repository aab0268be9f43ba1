"""Scientific workflows: what the tasks of an instance tell of its size, which is all that is computed here.

Task times are learned by type (log-linear in the size of the input). From those follow the sizes that records and
plans state: the longest path, that and the work by cores (no list schedule takes longer: Graham 1969, SIAM Journal on
Applied Mathematics 17), how many tasks. How the makespan grows with them is for `aos` to learn.
"""

import csv
import gzip
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.bench.truth.cases import Call, Family, Fold, Question, Row, Run

_ANY = "any"
_RIDGE = 5.0
_SLOPE = (-0.5, 1.5)
_BEYOND = 0.7
"""How far (in log bytes) beyond the sizes seen the slope is followed."""
_LEAST_BYTES, _LEAST_SECONDS = 1e3, 0.05
PARTS = 4
"""One is left out at a time: nearly as many are learned from as for the cases asked."""


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
    often = _often(known)
    place: dict[str, int] = defaultdict(int)
    parts: list[list[Instance]] = [[] for _ in range(PARTS)]
    for instance in known:
        # Every so many of an application, as the folder's own split has it; lone ones by their system.
        kind = instance.app if instance.app in often else instance.system
        parts[place[kind] % PARTS].append(instance)
        place[kind] += 1
    folds = []
    for k, part in enumerate(parts):
        past, questions = _family([i for other in parts if other is not part for i in other], part)
        later = [[Run(q.id, i.when, (), i.makespan)] for q, i in zip(questions, part, strict=True)]
        folds.append(
            Fold(f"without part {k + 1} of {PARTS}", past, list(zip(questions, later, strict=True)), True)
        )
    runs, questions = _family(known, asked)
    return Family("wf_makespan", ("app", "system"), runs, questions, folds)


def _often(instances: Sequence[Instance]) -> set[str]:
    """Applications with more than one record. Of any other is known what applications of its system do."""
    counted = Counter(i.app for i in instances)
    return {app for app, n in counted.items() if n > 1}


def _family(past: Sequence[Instance], asked: Sequence[Instance]) -> tuple[list[Run], list[Question]]:
    lines, often = _lines(past), _often(past)

    def call(instance: Instance) -> Call:
        app = instance.app if instance.app in often else _ANY
        return Call("w", "workflow", (app, instance.system), sizes=_sizes(instance, lines))

    runs = []
    for instance in past:
        row = Row(call(instance), instance.when, instance.when + instance.makespan * 1000)
        runs.append(Run(f"wf:{instance.name}", instance.when, (row,), instance.makespan))
    questions = []
    for instance in asked:
        stated = call(instance)
        questions.append(Question(f"wf:{instance.name}", (stated,), 1000, naive=stated.sizes["path_s"]))
    return runs, questions


def _sizes(instance: Instance, lines: Mapping[str, Line]) -> dict[str, float]:
    seconds = [
        (lines.get(f"{instance.app}|{t.kind}") or lines.get(instance.app) or lines[_ANY]).seconds(t.log_bytes)
        for t in instance.tasks
    ]
    path, work = _longest(instance, seconds), sum(seconds) / instance.cores
    return {"path_s": path, "schedule_s": path + work, "tasks": len(seconds)}


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
