"""Reads the folder of recorded executions: with `workflows`, the only place that knows its files and columns."""

import csv
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.truth import workflows
from tests.bench.truth.cases import Call, Family, Fold, Question, Row, Run, sparse

SHARES = (0.4, 0.6)
"""Of the public records, in the order of time: learn from the first part, be scored on two thirds as much after it.

The public records are the first 60 % themselves, so the last share asks from as far as the cases do."""

_SECOND = 1000.0
_REQUEST_CENTS = (2e-7 + 2.5e-5) * 100
_GB_SECOND_CENTS = 0.0000166667 * 100

Cases = Sequence[dict[str, Any]]


def families(folder: Path) -> Iterator[Callable[[], Family]]:
    """All families, each read when it is called."""
    cases: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(folder / "cases.jsonl.gz", "rt") as lines:
        for line in lines:
            case = json.loads(line)
            cases[case["family"]].append(case)
    for name, read in _READERS.items():
        yield lambda name=name, read=read: read(folder, cases[name])  # type: ignore[misc]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        yield from csv.DictReader(file)


def _calls(case: dict[str, Any], conditions: tuple[str, ...]) -> tuple[Call, ...]:
    return tuple(Call(s["id"], s["skill"], conditions, tuple(s["after"])) for s in case["plan"])


def _by_time(runs: Sequence[Run], questions: Sequence[Question]) -> list[Fold]:
    """Every case cut at the same share of its runs."""
    of: dict[str, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.when):
        of[run.about].append(run)
    folds = []
    for share in SHARES:
        past = [run for alike in of.values() for run in alike[: int(len(alike) * share)]]
        asked = []
        for question in questions:
            alike = of[question.id]
            known = int(len(alike) * share)
            if known:
                asked.append((question, _scored(alike[known : math.ceil(known * 5 / 3)], question)))
        folds.append(Fold(f"first {share:.0%}", past, asked, share == SHARES[-1]))
    return folds


def _scored(runs: Sequence[Run], question: Question) -> list[Run]:
    return [run for run in runs if run.succeeded is not False] if question.given_success else list(runs)


def _serverless(folder: Path, cases: Cases) -> Family:
    """Workflows of cloud functions: steps of one name are numbered by their start."""
    by = ("benchmark", "cloud", "year", "load", "memory")
    plans = {case["condition"]: case for case in cases}
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / "serverless_steps.csv.gz"):
        if row["cond"] in plans:
            found[row["cond"], row["run"]].append(row)
    runs = []
    for (condition, _), rows in found.items():
        calls = {call.id: call for call in _calls(plans[condition], tuple(condition.split("/")))}
        runs.append(_workflow(plans[condition]["case_id"], calls, rows))
    priced = {run.about for run in runs if run.cents is not None}
    questions = [
        Question(
            c["case_id"],
            _calls(c, tuple(c["condition"].split("/"))),
            _SECOND,
            says_cost=c["case_id"] in priced,
        )
        for c in cases
    ]
    folds = _by_time(runs, questions)
    return Family("serverless", by, runs, questions, [*folds, *sparse(folds[-1])])


def _workflow(about: str, calls: dict[str, Call], rows: Sequence[dict[str, str]]) -> Run:
    began = float(rows[0]["run_start"]) * _SECOND
    number: dict[str, int] = defaultdict(int)
    # Where others of its run were billed, a step without a bill was free.
    billed = any(row.get("bill_ms") for row in rows)
    steps = {}
    for row in sorted(rows, key=lambda row: float(row["rel_start"])):
        call = calls[f"{row['step']}.{number[row['step']]}"]
        number[row["step"]] += 1
        cents = 0.0 if billed else math.nan
        if row.get("bill_ms"):
            gb_seconds = float(row["bill_ms"]) / 1000 * float(row["bill_mb"]) / 1024
            cents = gb_seconds * _GB_SECOND_CENTS + _REQUEST_CENTS
        start, end = float(row["rel_start"]) * _SECOND, float(row["rel_end"]) * _SECOND
        steps[call.id] = Row(call, began + start, began + end, cents)
    ordered = tuple(steps[name] for name in calls if name in steps)
    total = sum(step.cost for step in ordered)
    value = max(float(row["rel_end"]) for row in rows)
    return Run(about, began, ordered, value, None if math.isnan(total) else total)


def _one_step(
    name: str,
    by: tuple[str, ...],
    cases: Cases,
    values: dict[str, list[tuple[float, float, str]]],
    *,
    unit_ms: float,
    split: Callable[[str], tuple[str, ...]],
    known_outcome: bool = False,
) -> Family:
    """Plans of one step: `values` are (when in ms, value, code of the failure) by condition, in order."""
    runs, questions = [], []
    for case in cases:
        (call,) = _calls(case, split(case["condition"]))
        questions.append(Question(case["case_id"], (call,), unit_ms, known_outcome, known_outcome))
        runs += _runs(case["case_id"], call, values.pop(case["condition"]), unit_ms, known_outcome)
    for condition, recorded in values.items():  # nobody asks for these, but they are relatives of those
        call = call._replace(conditions=split(condition))
        runs += _runs(f"unasked:{condition}", call, recorded, unit_ms, known_outcome)
    return Family(name, by, runs, questions, _by_time(runs, questions))


def _runs(
    about: str, call: Call, recorded: Sequence[tuple[float, float, str]], unit_ms: float, known_outcome: bool
) -> list[Run]:
    return [
        Run(
            about,
            when,
            (Row(call, when, when + value * unit_ms, code=code),),
            value,
            succeeded=not code if known_outcome else None,
        )
        for when, value, code in recorded
    ]


def _llm_call(folder: Path, cases: Cases) -> Family:
    values: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for row in _rows(folder / "llm_requests.csv"):
        taken = float(row["e2e_s"] or "nan")
        # Nobody recorded when: requests are a minute apart, in their order.
        values[row["endpoint"]].append((float(row["seq"]) * 60_000, taken, row["error_code"]))
    return _one_step(
        "llm_call",
        ("provider", "size"),
        cases,
        values,
        unit_ms=_SECOND,
        split=lambda c: tuple(c.rsplit("_", 1)),
        known_outcome=True,
    )


def _genai(folder: Path, cases: Cases) -> Family:
    """Cut at one moment for all cases: the load they share moves with time."""
    values: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for row in _rows(folder / "genai_requests.csv.gz"):
        if row["num_images_per_prompt"]:
            steps, images = (int(float(row[key])) for key in ("num_inference_steps", "num_images_per_prompt"))
            when = datetime.fromisoformat(row["gmt_create"]).replace(tzinfo=UTC).timestamp() * 1000
            code = "" if row["predict_status"] == "SUCCEED" else row["predict_status"]
            taken = float(row["exec_time_seconds"] or "nan")
            values[f"{row['predict_type']}/steps{steps}/img{images}"].append((when, taken, code))
    for alike in values.values():
        alike.sort(key=lambda value: value[0])
    family = _one_step(
        "genai_request",
        ("kind", "steps", "images"),
        cases,
        values,
        unit_ms=_SECOND,
        split=lambda c: tuple(c.split("/")),
        known_outcome=True,
    )
    runs = sorted(family.runs, key=lambda run: run.when)
    folds = []
    for share in SHARES:
        cut = runs[int(len(runs) * share)].when
        end = runs[min(len(runs) - 1, int(len(runs) * share * 5 / 3))].when
        folds.append(_at_moment(family, f"first {share:.0%}", lambda _, cut=cut: cut, end))  # type: ignore[misc]
    return family._replace(folds=folds)


def _at_moment(family: Family, name: str, cut: Callable[[str], float], end: float = math.inf) -> Fold:
    """Learn from what was before the moment `cut(case)`."""
    past = [run for run in family.runs if run.when < cut(run.about)]
    known = {run.about for run in past if run.succeeded is not False}
    later: dict[str, list[Run]] = defaultdict(list)
    for run in family.runs:
        if cut(run.about) <= run.when <= end:
            later[run.about].append(run)
    asked = [(q, _scored(later[q.id], q)) for q in family.questions if q.id in known]
    return Fold(name, past, asked, name == f"first {SHARES[-1]:.0%}")


def _human(folder: Path, cases: Cases) -> Family:
    values: dict[str, list[tuple[float, float, str]]] = {case["condition"]: [] for case in cases}
    for row in _rows(folder / "human_items.csv.gz"):
        when = datetime.fromisoformat(row["at"]).timestamp() * 1000
        if (condition := f"{row['activity']}/{row['kind']}") in values:
            values[condition].append((when, float(row["seconds"]), ""))
    for alike in values.values():
        alike.sort(key=lambda value: value[0])
    return _one_step(
        "human", ("activity", "kind"), cases, values, unit_ms=_SECOND, split=lambda c: tuple(c.split("/"))
    )


def _coldstart(folder: Path, cases: Cases) -> Family:
    """Ten starts a day, taken to be a second apart; cut at a share of the years, not of the starts."""
    values: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    wanted = {case["condition"] for case in cases}
    for row in _rows(folder / "coldstart.csv.gz"):
        condition = f"{row['runtime']}/{row['mem_mb']}"
        if condition in wanted:
            day = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC).timestamp() * 1000
            for i, taken in enumerate(row["init_ms"].split()):
                values[condition].append((day + i * 1000, float(taken), ""))
    for alike in values.values():
        alike.sort(key=lambda value: value[0])
    reach = {f"coldstart:{name}": (days[0][0], days[-1][0] - days[0][0]) for name, days in values.items()}
    family = _one_step(
        "coldstart_drift",
        ("runtime", "memory"),
        cases,
        values,
        unit_ms=1.0,
        split=lambda c: tuple(c.rsplit("/", 1)),
    )
    folds = [
        _at_moment(family, f"first {share:.0%}", lambda c, s=share: reach[c][0] + s * reach[c][1])  # type: ignore[misc]
        for share in SHARES
    ]
    return family._replace(folds=folds)


def _http(name: str) -> Callable[[Path, Cases], Family]:
    def read(folder: Path, cases: Cases) -> Family:
        """Monitoring runs in which every target of the plan answered, put together as the plan says."""
        checks: dict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
        for row in _rows(folder / "http_checks.csv.gz"):
            if row["ok"] == "1":
                answered = checks[row["org"], row["runid"]]
                answered.setdefault(row["endpoint"], (float(row["epoch"]), float(row["ms"])))
        runs, questions = [], []
        for case in cases:
            organisation = case["condition"]
            calls = tuple(
                Call(s["id"], s["skill"], (organisation, s["target"]), tuple(s["after"]))
                for s in case["plan"]
            )
            questions.append(Question(case["case_id"], calls, 1.0))
            for (owner, _), answered in checks.items():
                if owner == organisation and all(call.conditions[1] in answered for call in calls):
                    runs.append(_checked(case["case_id"], calls, answered))
        return Family(name, ("organisation", "target"), runs, questions, _by_time(runs, questions))

    return read


def _checked(about: str, calls: tuple[Call, ...], answered: dict[str, tuple[float, float]]) -> Run:
    began = min(answered[call.conditions[1]][0] for call in calls) * _SECOND
    ends: dict[str, float] = {}
    rows = []
    for call in calls:
        start = max((ends[name] for name in call.after), default=began)
        ends[call.id] = start + answered[call.conditions[1]][1]
        rows.append(Row(call, start, ends[call.id]))
    return Run(about, began, tuple(rows), max(ends.values()) - began)


def _fanout(folder: Path, cases: Cases) -> Family:
    """Forecast 16 siblings from 2, 4 and 8; scored on 8 from 2 and 4."""
    found: dict[tuple[str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / "fanout_steps.csv.gz"):
        found[row["cond"], row["width"], row["run"]].append(row | {"run_start": "0"})
    runs: dict[int, list[Run]] = defaultdict(list)
    asked: dict[tuple[str, int], Question] = {}
    for (condition, width, _), rows in found.items():
        calls = _spread(condition, int(width))
        question = Question(f"fanout:{condition}/w{width}", calls, _SECOND)
        asked[condition, int(width)] = question
        runs[int(width)].append(_workflow(question.id, {call.id: call for call in calls}, rows))
    questions = [Question(c["case_id"], _calls(c, tuple(c["condition"].split("/"))), _SECOND) for c in cases]
    scored = [(q, [r for r in runs[8] if r.about == q.id]) for (_, width), q in asked.items() if width == 8]
    fold = Fold("widths 2, 4", [*runs[2], *runs[4]], scored, True)
    every = [run for alike in runs.values() for run in alike]
    return Family("fanout_whatif", ("cloud", "work"), every, questions, [fold])


def _spread(condition: str, width: int) -> tuple[Call, ...]:
    conditions = tuple(condition.split("/"))
    siblings = (Call(f"process.{i}", "process", conditions, ("generate.0",)) for i in range(width))
    return (Call("generate.0", "generate", conditions), *siblings)


def _agent_chain(folder: Path, cases: Cases) -> Family:
    """Model call and shell step in turn; scored by leaving out one of the three recorded passes."""
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / "agent_steps.csv"):
        found[row["run"], row["task"]].append(row)
    runs: dict[str, list[Run]] = defaultdict(list)
    for (name, task), rows in found.items():
        runs[name].append(_turns(f"agent_chain:{name}/{task}", rows))
    questions = [Question(c["case_id"], _calls(c, ()), _SECOND, says_cost=True) for c in cases]
    folds = []
    for out, left in runs.items():
        past = [run for name, alike in runs.items() if name != out for run in alike]
        asked = [
            (Question(r.about, tuple(row.call for row in r.rows), _SECOND, says_cost=True), [r]) for r in left
        ]
        folds.append(Fold(f"without {out[:10]}", past, asked, out == max(runs)))
    return Family("agent_chain", (), [r for alike in runs.values() for r in alike], questions, folds)


def _turns(about: str, rows: Sequence[dict[str, str]]) -> Run:
    began = at = min(float(row["epoch"]) for row in rows) * _SECOND
    steps: list[Row] = []
    for i, row in enumerate(sorted(rows, key=lambda row: int(row["step"]))):
        before = (f"sh.{i - 1}",) if i else ()
        for call, taken, cents in (
            (Call(f"llm.{i}", "llm_invoke", (), before), float(row["llm_s"]), float(row["cost"]) * 100),
            (Call(f"sh.{i}", "shell_exec", (), (f"llm.{i}",)), float(row["exec_s"]), 0.0),
        ):
            steps.append(Row(call, at, at := at + taken * _SECOND, cents))
    return Run(about, began, tuple(steps), (at - began) / _SECOND, sum(step.cost for step in steps))


def _agent_trial(folder: Path, cases: Cases) -> Family:
    """Each recording of every agent and task left out once. A trial without a result counts as failed."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for row in _rows(folder / "agent_trials.csv"):
        call = Call("agent.0", "agent_run", (row["agent"], row["task"]))
        solved = row["resolved"] == "1.0"
        code = "" if solved else "TIMEOUT" if row["failure_mode"] == "agent_timeout" else "UNSOLVED"
        start, taken = float(row["ri"]) * 1e6, float(row["agent_s"])
        runs[row["ri"]].append(
            Run(
                f"agent_trial:{row['agent']}/{row['task']}",
                start,
                (Row(call, start, start + taken * _SECOND, code=code),),
                taken,
                succeeded=solved,
            )
        )
    questions = [
        Question(c["case_id"], _calls(c, tuple(c["condition"].split("/"))), _SECOND, says_success=True)
        for c in cases
    ]
    by_id = {question.id: question for question in questions}
    folds = []
    for out in ("1", "3"):
        past = [run for number, alike in runs.items() if number != out for run in alike]
        asked = [(by_id[run.about], [run]) for run in runs[out] if run.about in by_id]
        folds.append(Fold(f"without recording {out}", past, asked, out == max(runs)))
    return Family(
        "agent_trial", ("agent", "task"), [r for alike in runs.values() for r in alike], questions, folds
    )


_READERS: dict[str, Callable[[Path, Cases], Family]] = {
    "serverless": _serverless,
    "fanout_whatif": _fanout,
    "agent_chain": _agent_chain,
    "agent_trial": _agent_trial,
    "http_chain": _http("http_chain"),
    "http_fanout": _http("http_fanout"),
    "llm_call": _llm_call,
    "genai_request": _genai,
    "human": _human,
    "coldstart_drift": _coldstart,
    "wf_makespan": workflows.read,
}
