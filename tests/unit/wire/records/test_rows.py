"""Rows of files as they come: quotes that nobody closed, other delimiters and encodings, numbers without end."""

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.learning.records import load_records
from aos.domain.learning.records import Flaw, ReadRecords
from aos.errors import InputError
from aos.wire.records.read import Declared, Listed, read_csv

HEAD = "run,skill,start,end,note"
CONDITIONS = """
import sys
from aos.api.learning.records import load_records
print(*load_records(sys.argv[1], guess=True).records.conditions)
"""


def read(folder: Path, text: str | bytes, name: str = "runs.csv") -> ReadRecords:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_records(str(folder / name))


def flaw(found: ReadRecords | Listed, code: str) -> Flaw:
    (only,) = [flaw for flaw in found.flaws if flaw.code == code]
    return only


def listed(rows: list[str]) -> Listed:
    written = io.StringIO("".join(f"{row}\n" for row in (HEAD, *rows)), newline="")
    return read_csv(written, Declared(), name="made up")


@pytest.mark.parametrize("at", [0, 1, 9_000, 19_999])
@pytest.mark.parametrize("ends", ["x", '"x"', '"x\ny"'], ids=["plain", "quoted", "over two lines"])
def test_a_quote_that_is_not_closed_costs_one_row(at: int, ends: str) -> None:
    rows = [f"r{i},ask,{i},{i + 1},{ends}" for i in range(20_000)]
    rows[at] = f'r{at},"ask,{at},{at + 1},x'
    found = listed(rows)
    lines = 1 + ends.count("\n")
    broken = flaw(found, "malformed_row")
    assert (broken.line, broken.rows, broken.kept) == (2 + at * lines, 1, False)
    assert len(found.lines) == 19_999
    assert found.lines[-1] == 2 + 19_998 * lines + (at < 19_999)


CELLS = st.text(st.sampled_from('ab,"\n ;'), max_size=5)


@given(st.lists(CELLS, min_size=1, max_size=12), st.lists(st.integers(0, 11), max_size=2))
def test_what_is_quoted_by_the_rules_is_read_and_a_stray_quote_takes_no_other_row(
    notes: list[str], strays: list[int]
) -> None:
    rows = ['r{0},ask,{0},9,"{1}"'.format(i, note.replace('"', '""')) for i, note in enumerate(notes)]
    for i in strays:
        rows.insert(i, 'stray,"ask,1,2,x')
    found = listed(rows)
    assert found.rows == len(notes) + len(strays)
    assert len(found.lines) == len(notes)


def test_a_row_over_several_lines_stands_where_it_begins(tmp_path: Path) -> None:
    found = read(tmp_path, f'{HEAD}\r\nr1,ask,1,2,"a\r\nb"\r\nr2,ask,3,soon,"c\r\n\r\nd"\r\n')
    assert flaw(found, "bad_end").line == 4
    assert len(found.records.start_ms) == 2


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_spreadsheets(delimiter: str, encoding: str, tmp_path: Path) -> None:
    rows = "".join(f"r{i},ask,{i},{i + 1},é\r\n" for i in range(9))
    found = read(tmp_path, f"{HEAD}\r\n{rows}".replace(",", delimiter).encode(encoding))
    assert [flaw.code for flaw in found.flaws] == ["ignored_column"]
    assert found.records.skill.names == ("ask",)
    assert len(found.records.start_ms) == 9


def test_a_number_that_is_too_large_in_our_unit_is_none(tmp_path: Path) -> None:
    rows = ["r1,ask,0,1e308,1", "r2,ask,1e308,2,1", "r3,ask,2,3,1e307"]
    found = read(tmp_path, "run,skill,start,end,cost_usd\n" + "\n".join(rows))
    assert [(f.code, f.line, f.rows) for f in found.flaws] == [
        ("bad_end", 2, 1),
        ("bad_start", 3, 1),
        ("bad_cost", 4, 1),
    ]
    assert all(math.isnan(value) for value in (found.records.end_ms[0], found.records.cost_cents[1]))


def test_columns_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    """In that of their hashes, the columns that are looked at as conditions would differ from run to run."""
    row = {"run": 1, "skill": "ask", "start": 1, "end": 2} | {f"column{i}": i for i in range(30)}
    (tmp_path / "runs.jsonl").write_text(json.dumps(row) + "\n")
    told = subprocess.run(
        [sys.executable, "-c", CONDITIONS, str(tmp_path / "runs.jsonl")],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split() == [f"column{i}" for i in range(20)]


@pytest.mark.parametrize(
    "text", ['[{"run": 1, "skill": "ask"}]', '[\n{\n"run": 1,\n"skill": "ask"\n}\n]', '{\n"run": 1\n}']
)
def test_json_that_is_not_an_object_a_line_is_told_how_to_become_that(text: str, tmp_path: Path) -> None:
    for name in ("runs", "runs.json", "runs.jsonl"):
        with pytest.raises(InputError, match="can be used") as refused:
            read(tmp_path, text, name)
        assert "jq -c" in (refused.value.fix or "")
