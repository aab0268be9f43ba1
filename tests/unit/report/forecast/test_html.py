import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

import aos.report.parts.sheet
from aos.domain.forecasts.attribution import Attribution, StepShare
from aos.domain.skills.skill import FailureMode, Figure, Provenance
from aos.report.forecast.html import simulation
from aos.report.learning import backtest
from tests.unit.report import build
from tests.unit.report.hostile import everywhere, texts
from tests.unit.report.learning import build as build_scores
from tests.unit.report.pages import Reader, skeleton

STYLE = (Path(aos.report.parts.sheet.__file__).parent / "page.css").read_text("utf-8")


PAGES = {
    "feasible": simulation(build.feasible()),
    "infeasible": simulation(build.infeasible()),
    "everything": simulation(everywhere("plain")),
    "backtest": backtest.page("runs.csv", build_scores.backtest()),
}


@given(texts)
def test_what_stands_in_a_plan_changes_no_element(text: str) -> None:
    assert skeleton(simulation(everywhere(text))) == skeleton(PAGES["everything"])


@given(texts)
def test_no_control_character_gets_through(text: str) -> None:
    page = simulation(everywhere(text))

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", page)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    elements = Reader(page).elements
    policies = [
        have["content"] for _, have in elements if have.get("http-equiv") == "Content-Security-Policy"
    ]
    attributes = {name for _, have in elements for name in have}

    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert not re.search(r"https?:|url\(|@import", page)
    assert not {tag for tag, _ in elements} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "a",
    }
    assert not attributes & {"src", "href", "srcset", "action", "style"}
    assert not [name for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_page_can_be_read_without_seeing_it(page: str) -> None:
    elements = Reader(page).elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    ids = [have["id"] for _, have in elements if "id" in have]
    named = [name for _, have in elements for name in (have.get("aria-labelledby") or "").split()]

    assert elements[0] == ("html", {"lang": "en"})
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))
    assert len(ids) == len(set(ids))
    assert set(named) <= set(ids)
    assert all("scope" in have for tag, have in elements if tag == "th")
    assert all(
        {"aria-hidden", "aria-labelledby", "viewbox"} & {*have} for tag, have in elements if tag == "svg"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(scheme: str) -> None:
    """Contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", light if scheme == "light" else dark))
    for text in ("text", "faint", "good", "bad", "open"):
        for behind in ("page", "panel"):
            assert contrast(colours[text], colours[behind]) >= 4.5, (text, behind)
    assert contrast(colours["bar"], colours["page"]) >= 3
    assert contrast(colours["critical"], colours["page"]) >= 3


def test_the_page_says_what_the_terminal_says() -> None:
    text = " ".join("".join(Reader(PAGES["infeasible"]).text).split())

    for words in ("✗ INFEASIBLE", "cost unknown, typically 19 s", "At most 4.4 % of runs succeed"):
        assert words in text
    assert "deadline 9 s" in text
    assert "p90 42.7 s" in text
    assert "4.68 % of runs end within 9000 ms" in text
    assert "aos simulate plan.json --budget 199.5 --deadline 9000 --confidence 0.9" in text
    assert build.DIGESTS.plan in text
    assert "measured (n 312, 2026-03-01): runs" in text


def test_the_critical_path_is_the_chain_that_takes_longest() -> None:
    """Three steps in a row, all of them on it; a quick one beside the second is not."""
    told = build.feasible()
    steps = [*told.forecast.steps, build.step("s4", "fs_read", 500.0, 1.0)]
    plan = build.result(build.forecast(steps)).plan
    beside = plan.steps[3]._replace(needs=("s1",))
    path = told._replace(
        plan=plan._replace(steps=(*plan.steps[:3], beside)),
        forecast=told.forecast._replace(steps=tuple(steps)),
    )
    bars = [have["class"] for tag, have in Reader(simulation(path)).elements if have.get("aria-hidden")]

    assert bars[-4:] == ["bar critical", "bar critical", "bar critical", "bar"]


def test_two_hundred_steps_of_two_hundred_skills_stay_below_300_kb() -> None:
    named = [f"{i:03}-{'step' * 7}" for i in range(200)]
    steps = [build.step(name, f"skill-{name}", i * 10.0, 500.0, 3.21) for i, name in enumerate(named)]
    told = build.result(build.forecast(steps, cost=build.spread(30.0, 69.7, 146.0, 187.0, 296.0)))
    modes = tuple(
        FailureMode(
            f"CODE_{i}", "TRANSIENT", Figure(0.01, Provenance("measured", "runs", 57 + i, "2026-03-01"))
        )
        for i in range(4)
    )
    shares = tuple(StepShare(name, 0.005, 0.005, 0.005, 0.3, None, None) for name in named)
    page = simulation(
        told._replace(
            skills={step.skill: build.skill(step.skill, *modes) for step in steps},
            attribution=Attribution(shares, None),
        )
    )

    assert all(name in page for name in named)
    assert len(page.encode()) < 300_000


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
