"""The page of a backtest; what holds for every page is in test_html."""

import re

import pytest
from hypothesis import given

from aos.domain.forecasts.forecast import Estimate
from aos.domain.learning.backtest import Said
from aos.report.learning.backtest import page
from aos.report.learning.diagrams import pit, reliability
from tests.unit.report.hostile import texts
from tests.unit.report.learning.build import backtest
from tests.unit.report.pages import Reader, skeleton


def words(text: str) -> str:
    return " ".join("".join(Reader(text).text).split())


def test_the_page_says_what_was_scored_and_how_unsure_that_is() -> None:
    told = words(page("runs.csv", backtest()))

    for said in (
        "✗ 1 OF 1 THRESHOLDS MISSED 80 runs forecast",
        "Learned from the 120 runs before, from 2026-02-25 06:13 UTC on.",
        "45.0 % ± 2.1",
        "0.730 ± 0.018",
        "Brier 0.0210 ± 0.0040 (past share 0.0250), log loss 0.1000 ± 0.0100 (0.1200)",
        "0.125 ± 0.010",
        "not recorded before the split",
    ):
        assert said in told


@pytest.mark.parametrize(
    ("result", "headline"),
    [
        (backtest(kept=True), "✓ THRESHOLDS KEPT 80 runs forecast"),
        (backtest(gates=False), "80 runs forecast Learned"),
        (backtest(split_ms=3_000.0), "Learned from the 120 runs before."),
    ],
)
def test_the_headline_is_the_answer(result: object, headline: str) -> None:
    told = re.sub(r"(?<=forecast)(?=Learned)", " ", words(page("runs.csv", result)))  # type: ignore[arg-type]
    assert headline in told


@given(texts)
def test_names_of_skills_and_files_change_no_element(text: str) -> None:
    assert skeleton(page(text, backtest(text))) == skeleton(page("plain", backtest("plain")))


def test_columns_are_as_high_as_what_they_count_and_the_line_stands_at_a_tenth() -> None:
    drawn = Reader(pit((20.0,) + (0.0,) * 8 + (10.0,), "p", "time of plans")).elements
    columns = [float(have["height"] or 0) for tag, have in drawn if tag == "rect"]
    lines = {have["class"]: have["y1"] for tag, have in drawn if tag == "line"}

    assert columns[0] == pytest.approx(2 * columns[9], rel=1e-4)
    assert columns[1:9] == [0.0] * 8
    level = (128 - float(lines["level"] or 0)) / 120 * 100
    assert level == pytest.approx(columns[0] * 3 / 20, rel=0.01)


def test_points_stand_on_the_diagonal_where_chances_are_right() -> None:
    said = [Said(10, p, Estimate(p, 0.05)) for p in (0.05, 0.5, 0.95)]
    drawn = Reader(reliability(said, "r", "plans")).elements
    (diagonal,) = (have for tag, have in drawn if have.get("class") == "level")
    points = [have for tag, have in drawn if tag == "circle"]
    x1, x2 = (float((diagonal[x] or "").rstrip("%")) for x in ("x1", "x2"))
    y1, y2 = (float(diagonal[y] or 0) for y in ("y1", "y2"))

    for point in points:
        across = (float((point["cx"] or "").rstrip("%")) - x1) / (x2 - x1)
        assert float(point["cy"] or 0) == pytest.approx(y1 + across * (y2 - y1), abs=0.1)
    noise = [have for tag, have in drawn if have.get("class") == "noise"]
    assert float(noise[2]["y2"] or 0) == y2
