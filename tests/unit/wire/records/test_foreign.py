"""Records as others write them: columns of other names, words of other tools, no run, no skill, no step."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aos.api.learning.records import load_records
from aos.domain.learning.records import Coded, ReadRecords
from aos.errors import InputError

TRACE = "trace_id,name,start_time_unix_nano,end_time_unix_nano,status_code,http.response.status_code"
TRACED = {
    "trace_id": "run",
    "name": "skill",
    "start_time_unix_nano": "start_ns",
    "end_time_unix_nano": "end_ns",
    "status_code": "outcome",
    "http.response.status_code": "code",
}


def read(folder: Path, lines: list[str], name: str = "runs.csv", **how: Any) -> ReadRecords:
    (folder / name).write_text("\n".join(lines) + "\n")
    return load_records(str(folder / name), **how)


def cells(column: Coded) -> list[str]:
    return [column.names[code] if code >= 0 else "" for code in column.codes]


def test_spans_of_a_trace(tmp_path: Path) -> None:
    spans = [
        TRACE,
        "t1,fetch,1772323200000000000,1772323201500000000,OK,200",
        "t1,post,1772323202000000000,1772323202100000000,ERROR,503",
        "t1,post,1772323203000000000,1772323203100000000,UNSET,",
    ]
    found = read(tmp_path, spans, renamed=TRACED)
    assert cells(found.records.run) == ["t1"] * 3
    assert cells(found.records.step) == ["fetch", "post", "post"]
    assert list(found.records.attempt) == [1, 1, 2]
    assert list(found.records.failed) == [0, 1, 0]
    assert cells(found.records.code) == ["", "503", ""]
    assert found.records.end_ms[0] - found.records.start_ms[0] == pytest.approx(1_500, abs=1e-3)
    assert found.flaws == ()


def test_a_log_of_an_agent_whose_skills_are_called_again(tmp_path: Path) -> None:
    def logged(name: str, second: int, status: str = "success") -> str:
        moment = f"2026-03-01T00:00:{second:02}Z"
        row = {"trace": "a", "name": name, "started": moment, "latency": 1, "status": status}
        return json.dumps(row)

    lines = [
        logged("ask", 0),
        logged("search", 2),
        logged("ask", 4, "error"),
        logged("ask", 6),
        logged("ask", 8),
    ]
    how = {"trace": "run", "name": "skill", "started": "start", "latency": "duration_s", "status": "outcome"}
    found = read(tmp_path, lines, "log.jsonl", renamed=how).records
    assert cells(found.step) == ["ask", "search", "ask#2", "ask#2", "ask#3"]
    assert list(found.attempt) == [1, 1, 1, 2, 1]


def test_calls_at_the_same_time_are_no_attempts_of_one(tmp_path: Path) -> None:
    lines = ["run,skill,start,end,outcome", "r,ask,0,5,failed", "r,ask,1,6,failed", "r,ask,2,7,"]
    found = read(tmp_path, lines).records
    assert cells(found.step) == ["ask", "ask#2", "ask#3"]
    assert set(found.attempt) == {1}


def test_attempts_that_are_told_say_which_step_it_is(tmp_path: Path) -> None:
    lines = ["run,skill,start,end,attempt", "r,ask,0,1,1", "r,ask,2,3,2", "r,ask,4,5,1"]
    assert cells(read(tmp_path, lines).records.step) == ["ask", "ask", "ask#2"]


def test_a_log_that_calls_all_day_is_no_plan(tmp_path: Path) -> None:
    lines = ["run,skill,start,end", *(f"prod,ask,{2 * i},{2 * i + 1}" for i in range(5_001))]
    assert set(cells(read(tmp_path, lines).records.step)) == {"ask"}


def test_two_columns_are_enough(tmp_path: Path) -> None:
    lines = ["timestamp,latency_ms", "2026-03-01 00:00:01,292", "2026-03-01 00:02:01,814"]
    how = {"timestamp": "start", "latency_ms": "duration_ms"}
    found = read(tmp_path, lines, renamed=how, skill="http_call")
    assert cells(found.records.run) == ["line 2", "line 3"]
    assert cells(found.records.skill) == ["http_call"] * 2
    assert [(flaw.code, flaw.rows, flaw.kept) for flaw in found.flaws] == [("no_run_column", 2, True)]


@pytest.mark.parametrize(
    ("header", "fix"),
    [
        (
            TRACE,
            "--rename 'trace_id=run, name=skill, start_time_unix_nano=start_ns, end_time_unix_nano=end_ns, "
            "status_code=outcome, http.response.status_code=code'",
        ),
        ("timestamp,Latency_MS", "--skill NAME --rename 'timestamp=start, Latency_MS=duration_ms'"),
        ("run,tool,started_at,ended_at,duration_ms", "--rename 'tool=skill, started_at=start'"),
    ],
)
def test_what_columns_may_be_is_said(header: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, [header, ""])
    assert caught.value.fix == f"If these are the columns: {fix}"
    row = dict.fromkeys(header.split(","), "1")
    with pytest.raises(InputError) as caught:
        read(tmp_path, [json.dumps(row)], "runs.jsonl")
    assert caught.value.fix == f"If these are the columns: {fix}"


def spans(runs: int, around: int) -> list[str]:
    """Runs of two calls in turn, in `around` of them a row that holds both."""
    lines = ["run,skill,start,end"]
    for run in range(runs):
        at = 10 * run
        whole = f"r{run},agent,{at},{at + (5 if run < around else 2)}"
        lines += [whole, f"r{run},ask,{at + 0.1},{at + 2}", f"r{run},post,{at + 2},{at + 4.9}"]
    return lines


@pytest.mark.parametrize(
    ("runs", "around", "told"), [(20, 20, True), (20, 18, True), (20, 17, False), (4, 4, False)]
)
def test_a_span_around_the_others_is_told(runs: int, around: int, told: bool, tmp_path: Path) -> None:
    found = [flaw for flaw in read(tmp_path, spans(runs, around)).flaws if flaw.code == "span_around"]
    assert [(flaw.line, flaw.rows, flaw.kept) for flaw in found] == ([(2, around, True)] if told else [])


def test_the_last_of_a_chain_is_around_nothing(tmp_path: Path) -> None:
    chains = [
        f"r{run},{name},{10 * run + at},{10 * run + at + 1}"
        for run in range(20)
        for at, name in enumerate("abc")
    ]
    assert read(tmp_path, ["run,skill,start,end", *chains]).flaws == ()


def test_a_column_that_is_renamed_has_to_be_there(tmp_path: Path) -> None:
    row = "r,ask,0,1"
    for lines, name in (
        (["run,skill,start,end", row], "runs.csv"),
        (
            [json.dumps(dict(zip(("run", "skill", "start", "end"), row.split(","), strict=True)))],
            "runs.jsonl",
        ),
    ):
        with pytest.raises(InputError, match="no column `status`"):
            read(tmp_path, lines, name, renamed={"status": "outcome"})


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`run` is there twice"):
        read(tmp_path, ["run,trace_id,skill,start,end"], renamed={"trace_id": "run"})


def test_what_is_there_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, ["run,name,start,end,outcome,status,cost_cents,total_cost", ""])
    assert caught.value.fix == "If these are the columns: --rename 'name=skill'"


def test_spans_around_others_are_left_out_as_asked(tmp_path: Path) -> None:
    found = read(tmp_path, spans(20, 20), without=("agent",))
    assert [(flaw.code, flaw.line, flaw.rows, flaw.kept) for flaw in found.flaws] == [
        ("without", 2, 20, False)
    ]
    assert {found.records.skill.names[code] for code in found.records.skill.codes} == {"ask", "post"}
    with pytest.raises(InputError, match='did you mean "agent"'):
        read(tmp_path, spans(20, 20), without=("agents",))


def test_a_status_of_http_is_an_outcome_and_a_code(tmp_path: Path) -> None:
    lines = [
        "run,skill,start,end,outcome",
        "a,get,0,1,200",
        "b,get,2,3,503",
        "c,get,4,5,304",
        "d,get,6,7,700",
    ]
    found = read(tmp_path, lines)
    assert list(found.records.failed) == [0, 1, 0]
    assert cells(found.records.code) == ["", "503", ""]
    assert [flaw.code for flaw in found.flaws] == ["bad_outcome"]


def test_a_message_is_no_code_but_begins_with_one(tmp_path: Path) -> None:
    def logged(i: int, error: str | None) -> str:
        outcome = "error" if error else "ok"
        return json.dumps(
            {"run": i, "skill": "ask", "start": i, "end": i + 1, "outcome": outcome, "code": error}
        )

    told = "RateLimitError('429 for req_{}')\nTraceback (most recent call last)"
    lines = [logged(i, told.format(i) if i % 2 else None) for i in range(20)]
    lines += [logged(20, "..." * 30), logged(21, "no such host")]
    found = read(tmp_path, lines, "log.jsonl")
    assert found.records.code.names == ("RateLimitError", "FAILED", "no such host")
    assert [(f.code, f.line, f.rows) for f in found.flaws] == [("long_code", 2, 11), ("no_code", 21, 1)]


def test_codes_that_hardly_occur_twice_are_no_ways_to_fail(tmp_path: Path) -> None:
    codes = [f"timeout after {i} ms" if i % 2 else "BUSY" for i in range(200)]
    rows = [f"r{i},ask,{i},{i + 1},failed,{code}" for i, code in enumerate(codes)]
    found = read(tmp_path, ["run,skill,start,end,outcome,code", *rows, "r,ask,300,301,ok,"])
    counts = Counter(cells(found.records.code))
    assert (len(counts), counts["BUSY"], counts["FAILED"], counts[""]) == (52, 100, 51, 1)
    assert [(f.code, f.line, f.rows, f.kept) for f in found.flaws] == [("many_codes", 101, 51, True)]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("start", "01.10.2026 08:00", "bad_start"),
        ("start", "1791007560720", "start_unit"),
        ("outcome", "info", "bad_outcome"),
        ("cost_usd", "$0.0012", "bad_cost"),
        ("duration_ms", "1,5", "bad_end"),
        ("attempt", "first", "bad_attempt"),
        ("tokens", "many\x1b[2J", "bad_feature"),
    ],
)
def test_of_what_can_not_be_read_the_first_is_shown(
    column: str, cell: str, code: str, tmp_path: Path
) -> None:
    fine = {"skill": "ask", "start": "0", "outcome": "ok", "cost_usd": "1", "duration_ms": "5"}
    rows = [fine | {"tokens": "9"} | {column: given} for given in (fine.get(column, "1"), cell, "also odd")]
    found = read(tmp_path, [json.dumps(row) for row in rows], "log.jsonl", features=("tokens",))
    flaw = next(flaw for flaw in found.flaws if flaw.code == code)
    assert flaw.detail.endswith(f": {cell}".replace("\x1b", "\\x1b"))
    assert (flaw.line, flaw.rows) == (2, 1 if code == "start_unit" else 2)


def test_columns_that_look_like_none_of_ours_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, ["Lauf;Trace ID;Dauer (ms);Start Time", ""])
    assert caught.value.fix == (
        "The columns are Lauf, Trace ID, Dauer (ms), Start Time. "
        "If these are the columns: --skill NAME --rename 'Trace ID=run, Start Time=start'"
    )


def test_what_was_renamed_stays_in_what_is_to_be_typed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, ["Lauf,Resource,startTime,endTime", ""], renamed={"Lauf": "run"})
    told = "Lauf=run, Resource=skill, startTime=start, endTime=end"
    assert caught.value.fix == f"If these are the columns: --rename '{told}'"


def test_results_of_a_load_test_are_read_as_they_are_told_to_be(tmp_path: Path) -> None:
    lines = [
        "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,Latency",
        "1499876018809,2384,login,200,OK,Thread 1-84,true,2384",
        "1499876021193,95,login,503,Unavailable,Thread 1-84,false,94",
    ]
    with pytest.raises(InputError) as caught:
        read(tmp_path, lines)
    told = "label=skill, timeStamp=start, elapsed=duration_ms, success=outcome, responseCode=code"
    assert caught.value.fix == f"If these are the columns: --rename '{told}'"
    renamed = dict(pair.split("=") for pair in told.split(", "))
    with pytest.raises(InputError) as caught:
        read(tmp_path, lines, renamed=renamed)
    told = told.replace("=start", "=start_ms")
    assert caught.value.fix == f"If they are milliseconds: --rename '{told}'"
    found = read(tmp_path, lines, renamed=renamed | {"timeStamp": "start_ms"}).records
    assert list(found.end_ms) == [1499876021193, 1499876021288]
    assert cells(found.code) == ["", "503"]


def test_columns_with_dots_are_looked_for_inside_of_objects(tmp_path: Path) -> None:
    def span(i: int, **more: Any) -> str:
        return json.dumps({"trace": {"id": f"t{i}"}, "at": i, "ms": 7, "span": {"name": "ask"}, **more})

    renamed = {"trace.id": "run", "span.name": "skill", "at": "start", "ms": "duration_ms"}
    lines = [span(1, use={"tokens": 5}), span(2, use="none"), span(3, **{"span.name": "dotted"})]
    found = read(tmp_path, lines[:2], "log.jsonl", renamed=renamed, features=("use.tokens",))
    assert cells(found.records.run) == ["t1", "t2"]
    assert list(found.records.features["use.tokens"])[:1] == [5]
    assert [(flaw.code, flaw.rows) for flaw in found.flaws] == [("missing_feature", 1)]
    found = read(tmp_path, lines[2:], "log.jsonl", renamed=renamed)
    assert cells(found.records.skill) == ["dotted"]


@pytest.mark.parametrize("word", ["0", "OK", "False", "none", "NaN", "200"])
def test_words_for_no_failure_are_no_code(word: str, tmp_path: Path) -> None:
    rows = [f"a,ask,0,1,{word}", "a,ask,2,3,7", "a,ask,4,5,true", "a,ask,6,7,"]
    found = read(tmp_path, ["run,skill,start,end,code", *rows])
    assert list(found.records.failed) == [0, 1, 1, 0]
    assert cells(found.records.code) == ["", "7", "true", ""]
