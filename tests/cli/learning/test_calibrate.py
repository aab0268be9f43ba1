"""`aos calibrate` and `aos backtest`: from recorded runs to a catalog, to a forecast, to its score."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from typer import BadParameter

from aos.cli.learning.records import Meant
from tests.cli.process import ROOT, aos
from tests.cli.schemas import faults
from tests.tools.synthetic_runs import rows

RUNS = ROOT / "examples/records/runs.csv"
PLAN = json.dumps(
    [{"skill": f"{name}@eu", "params": {}} for name in ("fetch", "rank", "summarise")],
)


def test_the_shipped_records_are_what_the_script_makes() -> None:
    assert RUNS.read_text("utf-8") == "\n".join(rows(200)) + "\n"


@pytest.mark.parametrize("name", ["learned.toml", "learned.json"])
def test_simulate_reads_what_calibrate_wrote(name: str, tmp_path: Path) -> None:
    done = aos("calibrate", str(RUNS), "--by", "region", "--out", name, cwd=tmp_path)
    assert done.status == 0, done.err.decode()
    assert f"wrote {name}" in done.text
    assert b"nobody asked for tokens" in done.err
    text = (tmp_path / name).read_text("utf-8")
    catalog = tomllib.loads(text) if name.endswith("toml") else json.loads(text)
    assert catalog["aos_catalog"] == "1"
    forecast = aos("simulate", "--plan", PLAN, "--catalog", name, "--json", cwd=tmp_path).document
    assert 3_000 < forecast["forecast"]["duration_ms"]["p50"]["value"] < 8_000
    assert forecast["unknowns"] == []
    sure = ("--plan", json.dumps([{"skill": "fetch@eu", "params": {}}]), "--fail-on", "doubt", "--json")
    assert aos("simulate", *sure, "--catalog", name, cwd=tmp_path).document["exit_code"] == 0


def test_skill_shows_measured_figures_with_their_number_and_age(tmp_path: Path) -> None:
    aos("calibrate", str(RUNS), "--by", "region", "--out", "learned.json", cwd=tmp_path)
    shown = aos("skill", "rank@eu", "--catalog", "learned.json", cwd=tmp_path).text
    assert "measured (n 3" in shown
    assert "2026-03-02" in shown


def test_sizes_that_a_plan_states_condition_its_forecast(tmp_path: Path) -> None:
    made = "".join(
        f"r{i},ask,{i * 60},{100 + 8 * size},{size / 500},{size},{i % 7}\n"
        for i, size in enumerate((37 * i) % 1_000 + 1 for i in range(200))
    )
    header = "run,skill,start,duration_ms,cost_cents,tokens,junk\n"
    options = ("--feature", "tokens,junk", "--out", "learned.toml")
    done = aos("calibrate", "-", *options, cwd=tmp_path, stdin=(header + made).encode())
    assert "grows\nask  time with tokens, cost with tokens\njunk was not found to tell anything" in done.text
    plan = json.dumps([{"skill": "ask", "params": {"tokens": 2_000}}, {"skill": "ask", "params": {}}])
    told = aos("simulate", "--plan", plan, "--catalog", "learned.toml", "--json", cwd=tmp_path).document
    stated, left_open = told["step_estimates"]
    assert 15_500 < stated["duration_ms"]["p50"] < 17_000
    assert left_open["duration_ms"]["p50"] < 6_000
    assert next(warning for warning in told["warnings"] if "`tokens`" in warning).startswith("s2: ")
    shown = aos("skill", "ask", "--catalog", "learned.toml", cwd=tmp_path).text
    assert "where a step states it" in shown
    assert "tokens recorded: " in shown


def test_records_of_others_are_read_by_their_own_names(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01 00:{i:02}:00,{100 + i}\n" for i in range(60))
    (tmp_path / "log.csv").write_text("timestamp,latency_ms\n" + rows)
    asked = aos("calibrate", "log.csv", cwd=tmp_path)
    assert asked.status == 2
    assert b"--skill NAME --rename 'timestamp=start," in asked.err
    named = ("--rename", "timestamp=start,latency_ms=duration_ms", "--skill", "lookup")
    done = aos("calibrate", "log.csv", *named, "--out", "learned.json", cwd=tmp_path)
    assert "60 attempts of 60 runs" in done.text
    assert b"each row is a run of its own" in done.err
    told = aos(
        "simulate", "--plan", '[{"skill": "lookup"}]', "--catalog", "learned.json", "--json", cwd=tmp_path
    )
    assert 120 < told.document["forecast"]["duration_ms"]["p50"]["value"] < 170


@pytest.mark.parametrize("pairs", ["", "a", "a=", "=b", "a=b,c=b", "a=b,a=c"])
def test_a_name_for_a_column_is_a_pair(pairs: str) -> None:
    with pytest.raises(BadParameter, match="expected pairs such as"):
        Meant(renamed=pairs).names()


def test_a_product_of_powers_is_told_in_words(tmp_path: Path) -> None:
    rows = "".join(
        f"r{i},sort,{i * 60},{20 * size**1.5},{size}\n" for i, size in enumerate([1, 4, 9, 2] * 20)
    )
    options = ("--feature", "boxes", "--out", "learned.json")
    done = aos(
        "calibrate",
        "-",
        *options,
        cwd=tmp_path,
        stdin=("run,skill,start,duration_ms,boxes\n" + rows).encode(),
    )
    assert "grows\nsort  time with boxes^1.5" in done.text
    shown = aos("skill", "sort", "--catalog", "learned.json", cwd=tmp_path).text
    assert "at boxes 3; twice the boxes 2.8" in shown


def test_an_old_catalog_is_less_sure_on_the_day_that_is_asked_for(tmp_path: Path) -> None:
    aos("calibrate", str(RUNS), "--by", "region", "--out", "learned.json", cwd=tmp_path)
    assert (
        "its level moves by about" in aos("skill", "rank@eu", "--catalog", "learned.json", cwd=tmp_path).text
    )
    asked = ("--plan", '[{"skill": "rank@eu"}]', "--catalog", "learned.json", "--json")
    fresh = aos("simulate", *asked, cwd=tmp_path).document
    old = aos("simulate", *asked, "--on", "2026-09-01", cwd=tmp_path).document
    assert (
        old["forecast"]["duration_ms"]["p95"]["value"]
        > 1.2 * fresh["forecast"]["duration_ms"]["p95"]["value"]
    )
    assert any("183 days old on 2026-09-01" in warning for warning in old["warnings"])
    (tmp_path / "old.json").write_text(json.dumps(old))
    again = ("verify", "old.json", "--catalog", "learned.json")
    assert aos(*again, "--on", "2026-09-01", cwd=tmp_path).status == 0
    assert aos(*again, cwd=tmp_path).status == 3
    assert aos("simulate", *asked, "--on", "soon", cwd=tmp_path).status == 2


def test_columns_that_split_skills_are_found(tmp_path: Path) -> None:
    done = aos("calibrate", str(RUNS), "--by", "auto", "--json", cwd=tmp_path)
    assert (done.document["by"], faults(done.document)) == (["region"], [])
    assert {row["id"] for row in done.document["skills"]} >= {"fetch@eu", "rank@us"}
    told = aos("calibrate", str(RUNS), "--by", "auto", cwd=tmp_path)
    assert b"skills are split by region\n" in told.err
    scored = aos("backtest", str(RUNS), "--by", "auto", "--json").document
    assert {case["name"] for case in scored["cases"]} >= {"fetch@eu", "rank@us"}


def test_a_catalog_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("mine")
    refused = aos("calibrate", str(RUNS), "--out", "mine.toml", "--json", cwd=tmp_path)
    assert (refused.status, refused.document["code"]) == (2, "file_exists")
    assert (tmp_path / "mine.toml").read_text() == "mine"
    assert aos("calibrate", str(RUNS), "--out", "mine.toml", "--force", cwd=tmp_path).status == 0


def test_the_documents_keep_their_schemas(tmp_path: Path) -> None:
    learned = aos("calibrate", "-", "--by", "region", "--json", stdin=RUNS.read_bytes()).document
    assert (learned["schema"], faults(learned)) == ("aos.calibration/1", [])
    assert {row["id"] for row in learned["skills"]} >= {"fetch@eu", "rank@us"}
    scored = aos(
        "backtest", str(RUNS), "--by", "region", "--auto", "--min-coverage", "0.8", "--json"
    ).document
    assert (scored["schema"], faults(scored)) == ("aos.backtest/1", [])
    assert [part["kind"] for part in scored["pooled"]] == ["skill", "plan"]
    assert 0.8 < scored["pooled"][0]["time"]["in90"]["value"] < 0.98


def test_what_whole_runs_teach_is_told() -> None:
    told = aos("calibrate", str(RUNS), "--by", "region").text
    assert "\ndrawn whole  200 runs of 2 shapes\n" in told
    assert "rank@eu (up to 3 wide), rank@us (up to 3 wide)" in told
    head, *rows = "run,step,skill,start_ms,end_ms,after", "r,go,go,0,10,"
    for run in range(6):
        rows.append(f"r{run},go,go,{run}0000,{run}0010,")
        for i in range(4):
            start = run * 10_000 + 15 + i // 2 * (900 + 10 * run)
            rows.append(f"r{run},w{i},work,{start},{start + 895 + 10 * run},go")
    limited = aos("calibrate", "-", stdin="\n".join([head, *rows]).encode()).text
    assert "\nat once      2 of work\n" in limited


def test_a_missed_threshold_is_a_no() -> None:
    kept = aos("backtest", str(RUNS), "--min-coverage", "0.8", "--max-crps-ratio", "0.95")
    assert (kept.status, kept.text.count("\nkept ")) == (0, 4)
    missed = aos("backtest", str(RUNS), "--max-crps-ratio", "0.1")
    assert (missed.status, missed.text.count("\nmissed ")) == (3, 2)


def test_the_page_is_written_whatever_the_answer(tmp_path: Path) -> None:
    words = ("backtest", str(RUNS), "--auto", "--by", "region", "--max-crps-ratio", "0.1")
    missed = aos(*words, "--html", "page.html", cwd=tmp_path)
    assert (missed.status, missed.out) == (3, aos(*words).out)
    page = (tmp_path / "page.html").read_text()
    assert page.count('role="img"') == 6
    assert "THRESHOLDS MISSED" in page
    refused = aos(*words, "--html", "no/such/folder.html", cwd=tmp_path)
    assert refused.status == 12


def test_the_same_records_give_the_same_bytes() -> None:
    fetch, rank, total = json.loads(PLAN)
    plan = json.dumps([fetch, rank | {"iterations": 3}, total])
    done = aos(*(words := ("backtest", str(RUNS), "--plan", plan, "--by", "region", "--json")))
    assert "plan" in [part["kind"] for part in done.document["pooled"]]
    assert aos(*words).out == done.out


def test_a_picture_fits_80_columns() -> None:
    for words in (("calibrate",), ("backtest", "--auto")):
        done = aos(*words, str(RUNS), "--by", "region", env={"COLUMNS": "80"})
        assert max(map(len, done.text.splitlines())) <= 80
        assert "…" not in done.text


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["run,skill,start,end", "r1,fetch,100,"], 0),
        (["run,skill,start,end,outcome", *(f"r{i},fetch,{i},{i + 1},failed" for i in range(9))], 0),
        (["run,skill,start,end", "r1,fetch,now,"], 2),
        (["run,skill"], 2),
    ],
    ids=["one record without an end", "all failures", "nothing left", "no times"],
)
def test_poor_records_are_learned_from_as_far_as_they_go(lines: list[str], status: int) -> None:
    done = aos("calibrate", "-", "--json", stdin="\n".join(lines).encode())
    assert done.status == status, done.document
    assert faults(done.document) == []


def test_a_single_run_cannot_be_split() -> None:
    done = aos("backtest", "-", "--json", stdin=b"run,skill,start,end\nr1,fetch,1,2\n")
    assert (done.status, done.document["code"]) == (2, "usage")


def test_who_is_tried_again_in_the_records_and_not_by_the_catalog_is_told(tmp_path: Path) -> None:
    lines = ["run,step,skill,start,duration_ms,outcome,attempt"]
    for i in range(30):
        for skill in ("ask", "http_call"):
            lines.append(f"r{i},{skill},{skill},{i * 60},{100 + i},failed,1")
            lines.append(f"r{i},{skill},{skill},{i * 60 + 1},{100 + i},succeeded,2")
    done = aos("calibrate", "-", "--json", cwd=tmp_path, stdin="\n".join(lines).encode())
    assert faults(done.document) == []
    assert done.document["tried_again"] == {"ask": 2}  # the catalog tries http_call three times
    (tmp_path / "own.toml").write_text(done_catalog(done.document, "ask"))
    stated = aos(
        "calibrate", "-", "--json", "--catalog", "own.toml", cwd=tmp_path, stdin="\n".join(lines).encode()
    )
    assert stated.document["tried_again"] == {}
    told = aos("calibrate", "-", cwd=tmp_path, stdin="\n".join(lines).encode()).err.decode()
    assert "not by the catalog: ask (2 times at most)" in told


def done_catalog(document: dict[str, Any], skill: str) -> str:
    """A catalog that says of the skill what was learned, and that it is tried twice."""
    learned = document["catalog"]["skills"][skill] | {"retry": {"max_attempts": 2}}
    return tomli_w.dumps({"aos_catalog": "1", "skills": {skill: learned}})
