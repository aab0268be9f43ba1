"""Recorded runs: every form of a file, and everything that can be wrong with one, counted with its line."""

import gzip
import json
import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.learning.records import load_records
from aos.domain.learning.records import Coded, Flaw, ReadRecords
from aos.errors import AosError, InputError
from tests.tools.synthetic_runs import rows

HEAD = "run,step,skill,start,end,outcome,code"
GOOD = "r1,a,fetch,100,101.5,succeeded,"


def read(
    tmp_path: Path,
    lines: Iterable[str],
    name: str = "runs.csv",
    *,
    guess: bool = False,
    **columns: Any,
) -> ReadRecords:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return load_records(str(path), guess=guess, **columns)


def cells(column: Coded) -> list[str]:
    return [column.names[code] if code >= 0 else "" for code in column.codes]


def flaw(found: ReadRecords, code: str) -> Flaw:
    (only,) = [flaw for flaw in found.flaws if flaw.code == code]
    return only


def test_a_row_is_an_attempt(tmp_path: Path) -> None:
    head = f"{HEAD},cost_cents,attempt,after,region,tokens"
    lines = [head, "r1,b,rank,101,102,failed,TIMEOUT,2.5,1,a,eu,17", "r1,a,fetch,100,101,succeeded,,,1,,eu,"]
    found = read(tmp_path, lines, by=("region",), features=("tokens",)).records
    assert cells(found.step) == ["a", "b"]
    assert list(found.start_ms) == [100_000, 101_000]
    assert list(found.end_ms) == [101_000, 102_000]
    assert math.isnan(found.cost_cents[0])
    assert found.cost_cents[1] == 2.5
    assert list(found.failed) == [0, 1]
    assert cells(found.code) == ["", "TIMEOUT"]
    assert cells(found.after) == ["", "a"]
    assert cells(found.conditions["region"]) == ["eu", "eu"]
    assert found.features["tokens"][1] == 17


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("start,end", "2026-03-01T00:00:00Z,2026-03-01T00:00:01.500Z"),
        ("start,end", "2026-03-01T02:00:00+02:00,2026-03-01 00:00:01.5"),
        ("start,end", "1772323200,1772323201.5"),
        ("start_ms,end_ms", "1772323200000,1772323201500"),
        ("start,duration_ms", "2026-03-01,1500"),
        ("start_ns,duration_us", "1772323200000000000,1500000"),
        ("start_s,duration_s", "1772323200,1.5"),
    ],
)
def test_times_in_every_unit(columns: str, values: str, tmp_path: Path) -> None:
    found = read(tmp_path, [f"run,skill,{columns}", f"r1,fetch,{values}"])
    assert found.flaws == ()
    assert found.records.start_ms[0] == pytest.approx(1_772_323_200_000, abs=1)
    assert found.records.end_ms[0] - found.records.start_ms[0] == pytest.approx(1_500, abs=1e-3)


def test_csv_jsonl_gzip_and_standard_names_give_the_same_records(tmp_path: Path) -> None:
    lines = list(rows(30, seed=1))
    keys = lines[0].split(",")
    objects = [json.dumps(dict(zip(keys, line.split(","), strict=True))) for line in lines[1:]]
    packed = tmp_path / "runs.csv.gz"
    packed.write_bytes(gzip.compress("\n".join(lines).encode()))
    first = read(tmp_path, lines, by=("region",))
    assert read(tmp_path, objects, "runs.jsonl", by=("region",)).records.start_ms == first.records.start_ms
    assert read(tmp_path, objects, "runs", by=("region",)).records.end_ms == first.records.end_ms
    assert load_records(str(packed), by=("region",)).records == first.records


def test_json_values_are_taken_for_what_they_are(tmp_path: Path) -> None:
    row = {"run": 7, "step": "b", "skill": "fetch", "start_ms": 5, "duration_ms": 2, "after": ["a", "c"]}
    found = read(tmp_path, [json.dumps(row)], "runs.jsonl").records
    assert (cells(found.run), cells(found.after)) == (["7"], ["a c"])
    row |= {"duration_ms": True}
    assert flaw(read(tmp_path, [json.dumps(row)], "runs.jsonl"), "bad_end").line == 1


@pytest.mark.parametrize(
    ("line", "code", "kept"),
    [
        ("r1,b,fetch,102,101,succeeded,", "negative_duration", True),
        ("r1,b,fetch,102,,succeeded,", "missing_end", True),
        ("r1,b,fetch,102,soon,succeeded,", "bad_end", True),
        ("r1,b,fetch,102,103,failed,", "no_code", True),
        ("r1,b,fetch,,103,succeeded,", "no_start", False),
        ("r1,b,fetch,now,103,succeeded,", "bad_start", False),
        ("r1,b,fetch,inf,103,succeeded,", "bad_start", False),
        ("r1,b,fetch,1772323200000,1772323201000,succeeded,", "start_unit", False),
        (",b,fetch,102,103,succeeded,", "no_run", False),
        ("r1,b,,102,103,succeeded,", "no_skill", False),
        ("r1,b,fetch,102,103,perhaps,", "bad_outcome", False),
        ("r1,b,fetch,102,103,skipped,", "skipped", False),
        ("r1,b,fetch,102", "malformed_row", False),
        (GOOD, "duplicate", False),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(
    line: str, code: str, kept: bool, tmp_path: Path
) -> None:
    found = read(tmp_path, [HEAD, GOOD, line, "r2,a,fetch,200,201.5,succeeded,"])
    assert flaw(found, code)[2:] == (3, 1, kept)
    assert found.rows == 3
    assert len(found.records.start_ms) == (3 if kept else 2)
    if code in ("negative_duration", "missing_end", "bad_end"):
        assert math.isnan(found.records.end_ms[1])


def test_rows_out_of_order_are_sorted_within_their_run_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, [HEAD, "r1,b,rank,102,103,succeeded,", GOOD, "r0,a,fetch,50,51,succeeded,"])
    assert cells(found.records.step) == ["a", "a", "b"]
    assert flaw(found, "out_of_order")[2:] == (3, 1, True)


def test_clocks_that_jump_are_told(tmp_path: Path) -> None:
    head = "run,step,skill,start,end,duration_ms,after"
    lines = [head, "r1,a,fetch,100,101,1000,", "r1,b,rank,100.5,102,1500,a", "r1,c,rank,103,9000,1000,b"]
    found = read(tmp_path, lines)
    jumps = [flaw for flaw in found.flaws if flaw.code == "clock_jump"]
    assert [(jump.line, jump.rows) for jump in jumps] == [(3, 1), (4, 1)]
    assert found.records.end_ms[2] == 104_000


def test_another_unit_within_a_skill_is_told_and_not_repaired(tmp_path: Path) -> None:
    chance = random.Random(0)
    lines = [f"r{i},a,fetch,{i},{chance.uniform(400, 900)}" for i in range(50)]
    lines[30] = "r30,a,fetch,30,0.6"
    found = read(tmp_path, ["run,step,skill,start,duration_ms", *lines])
    assert flaw(found, "unit_slip")[2:] == (32, 1, True)
    assert found.records.end_ms[30] - found.records.start_ms[30] == pytest.approx(0.6)


def test_attempts_are_counted_where_nobody_did(tmp_path: Path) -> None:
    outcomes = ["failed", "failed", "succeeded", "succeeded", "failed"]
    lines = [
        f"r1,a,fetch,{i},{i + 0.5},{outcome},{'X' * (outcome == 'failed')}"
        for i, outcome in enumerate(outcomes)
    ]
    assert list(read(tmp_path, [HEAD, *lines]).records.attempt) == [1, 2, 3, 1, 1]


def test_columns_nobody_asked_for_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, [f"{HEAD},colour", f"{GOOD},red"])
    assert "colour" in flaw(found, "ignored_column").detail


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        [HEAD],
        [HEAD, "r1,b,fetch,now,103,succeeded,"],
        ["run,skill", "r1,fetch"],
        ["run,skil,start,end", "a,b,1,2"],
    ],
)
def test_a_file_of_which_nothing_is_left_is_refused(lines: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, lines)
    assert refused.value.row.exit == 2


def test_a_condition_that_is_no_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="provider"):
        read(tmp_path, [HEAD, GOOD], by=("provider",))


def test_what_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    packed = gzip.compress(b"run,skill,start,end\n" * 1_000)
    (tmp_path / "cut.csv.gz").write_bytes(packed[:-9])
    (tmp_path / "bent.csv.gz").write_bytes(packed[:-8] + bytes(8))
    said = {
        "cut.csv.gz": "is cut off",
        "bent.csv.gz": "is damaged",
        "nowhere.csv": "No such",
        ".": "directory",
    }
    for name, why in said.items():
        with pytest.raises(AosError, match=why) as refused:
            load_records(str(tmp_path / name))
        assert refused.value.code == "unreadable"
        assert ("gzip -dc" in refused.value.fix) == name.endswith(".gz")


CELLS = st.sampled_from(["", "1", "-3", "nan", "2026-01-01", "failed", "succeeded", "x"]) | st.text(
    max_size=4
)


@given(st.lists(st.lists(CELLS, max_size=9), max_size=12))
def test_every_row_is_used_or_counted(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]
) -> None:
    """Whatever stands in the cells: rows used and rows left out add up to all rows."""
    quoted = [
        ",".join('"' + cell.replace('"', '""').replace("\x00", "") + '"' for cell in row) for row in table
    ]
    path = tmp_path_factory.mktemp("records") / "runs.csv"
    path.write_text("\n".join([HEAD, GOOD, *quoted]) + "\n", "utf-8", newline="")
    found = load_records(str(path))
    left_out = sum(flaw.rows for flaw in found.flaws if not flaw.kept)
    assert len(found.records.start_ms) + left_out == found.rows
    assert list(found.records.start_ms) == sorted(found.records.start_ms)


def test_columns_of_few_values_may_be_conditions(tmp_path: Path) -> None:
    row = "r{0},a,fetch,{0},90,succeeded,,{1},id{0},7"
    lines = [f"{HEAD},region,id,tokens", *(row.format(i, "us" if i == 9 else "eu") for i in range(60))]
    found = read(tmp_path, lines, features=("tokens",), guess=True)
    assert list(found.records.conditions) == ["region"]
    assert cells(found.records.conditions["region"])[8:11] == ["eu", "us", "eu"]
    assert flaw(found, "ignored_column").detail == "nobody asked for id"


def test_a_column_that_comes_late_is_empty_before(tmp_path: Path) -> None:
    row = '{"run": "r", "skill": "a", "step": "%d", "start": %d, "end": 9000%s}'
    lines = [row % (i, i, ', "tier": "gold"' if i >= 8_500 else "") for i in range(8_600)]
    tier = read(tmp_path, lines, "runs.jsonl", guess=True).records.conditions["tier"]
    assert cells(tier) == [""] * 8_500 + ["gold"] * 100


def test_features_are_numbers_from_0_up_or_told(tmp_path: Path) -> None:
    sizes = ("7", "-4", "many", "", "0")
    lines = [f"{HEAD},tokens", *(f"r{i},a,fetch,{i},9,succeeded,,{size}" for i, size in enumerate(sizes))]
    found = read(tmp_path, lines, features=("tokens",))
    assert [value if value == value else None for value in found.records.features["tokens"]] == [
        7,
        None,
        None,
        None,
        0,
    ]
    bad, missing = flaw(found, "bad_feature"), flaw(found, "missing_feature")
    assert (bad.line, bad.rows, bad.kept) == (3, 2, True)
    assert (missing.line, missing.rows, missing.kept) == (5, 1, True)
