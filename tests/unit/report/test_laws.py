"""What holds for every result, however hostile its texts."""

import re
import unicodedata
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from aos.domain.forecasts.alternatives import Operation
from aos.domain.forecasts.attribution import Evidence
from aos.domain.forecasts.forecast import Risk, Unknown
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Approval, Decision, Limits, Reason, Verdict
from aos.errors import CODES, AosError, Finding
from aos.report import problems, tables
from aos.report.forecast.terminal import simulation
from aos.report.learning import card
from tests.unit.report import build

SGR = re.compile(r"\x1b\[[0-9;]*m")

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "a\nFEASIBLE  0c",
    "a\rb",
    "[red]x[/red]",
    ":smile:",
    "[/]",
    "日本語" * 30,
]
# Letters on whose width every terminal agrees; controls, bidi overrides and separators; markup; our own pictures.
LETTERS = "aZ09 -_./~[]{}<>&|$\\日한😀ée\u0301…▁│━±\x00\x07\x08\x1b\x7f\x85\x9b\t\r\n\u2028\u202e\u2066"

texts = st.sampled_from(HOSTILE) | st.text(LETTERS, max_size=60)
widths = st.integers(40, 140)
amounts = st.none() | st.sampled_from([0.0, 0.00001, 0.5, 3.14159, 99.96, 100.0, 12_345.678, 9.9e9])
times = st.none() | st.sampled_from([0.0, 0.001, 9.96, 810.0, 999.7, 59_960.0, 3.6e6, 8.64e7, 9.9e9])


@st.composite
def results(draw: st.DrawFn) -> SimulationResult:
    """Any verdict and shape, with texts from outside wherever they can stand."""
    ids = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    steps = [build.step(name, draw(texts), draw(times), draw(times), draw(amounts)) for name in ids]
    low = draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    high = draw(st.sampled_from([p for p in (0.0, 0.0001, 0.93, 0.9999, 1.0) if p >= low]))
    cost = draw(
        st.sampled_from([build.exactly(0.0), build.exactly(123.4), build.spread(0.0, 1.0, 2.0, 3.0, 4e6)])
    )
    risks = tuple(Risk(ids[0], draw(texts), "TRANSIENT", 0.02, 0.0) for _ in range(draw(st.integers(0, 9))))
    unknowns = tuple(
        Unknown("unknown_cost", draw(texts), draw(texts)) for _ in range(draw(st.integers(0, 7)))
    )
    told = build.forecast(
        steps,
        risks=risks,
        unknowns=unknowns,
        cost=draw(st.sampled_from([cost, None])),
        cost_at_least=cost,
        feasible=build.chance(low, high),
        in_budget=build.chance(low, high),
        typical_cents=draw(amounts),
        typical_ms=draw(times),
        elapsed=draw(st.sampled_from([None, build.exactly(1e6)])),
    )
    reasons = tuple(
        Reason(draw(st.sampled_from(["too_close", "risk_too_high"])), draw(texts), draw(texts)) for _ in ids
    )
    approvals = tuple(Approval(name, draw(texts), 3) for name in ids)
    decision = draw(st.sampled_from(get_args(Decision)))
    limits = Limits(draw(st.none() | st.decimals(0, 10**9, places=6)), draw(times))
    answer = build.result(told, Verdict(decision, "undetermined", reasons, approvals), limits)
    offers = [
        build.alternative(
            told,
            draw(texts),
            Operation("add", draw(st.sampled_from(["/budget", "/steps/0"])), 1),
            assumes=draw(texts),
            changes_meaning=draw(st.booleans()),
            flags=draw(st.sampled_from([(), ("--budget", "123456789.123456", "--deadline", "4500")])),
            outlook={"cost_p95": draw(amounts), "time_p95": draw(times)},
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    wanted = Evidence("unknown", draw(texts), "cost_cents", 1.0, 0, 59, None, draw(texts))
    return answer._replace(
        plan=answer.plan._replace(name=draw(texts)),
        notes=(draw(texts),),
        attribution=build.shares(steps, *([1 / len(steps)] * len(steps))),
        evidence=(wanted,),
        alternatives=tuple(offers),
    )


def cells(line: str) -> int:
    """Columns that a terminal uses for a line, from Unicode's own tables."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in line)


@given(results(), widths)
def test_a_result_keeps_to_the_width_and_hides_nothing_in_colour_or_ascii(
    result: SimulationResult, width: int
) -> None:
    plain, coloured = (simulation(result, width, colour) for colour in (False, True))
    assert max(map(cells, plain.splitlines())) <= width
    assert "\x1b" not in plain

    text = SGR.sub("", coloured)
    assert [line.rstrip() for line in text.splitlines()] == plain.splitlines()
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c != "\n"]
    assert not set(text) & set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

    letters = simulation(result, width, True, ascii=True)
    assert letters.isascii()
    assert max(map(cells, SGR.sub("", letters).splitlines())) <= width


@given(st.integers(1, 5))
def test_an_unknown_figure_is_never_shown_as_nothing(count: int) -> None:
    """A plan of which nobody knows cost or time: the text holds no amount and no time at all."""
    steps = [build.step(f"s{i}", "crawl", 0.0, None, None)._replace(time=None) for i in range(count)]
    nothing = build.exactly(0.0)
    told = build.forecast(
        steps,
        **dict.fromkeys(("cost", "time", "elapsed", "typical_cents", "typical_ms")),
        **dict.fromkeys(("cost_at_least", "time_at_least"), nothing),
        **dict.fromkeys(("success", "feasible", "in_budget", "in_time", "in_limits"), build.chance(0.0, 1.0)),
    )
    text = simulation(build.result(told, Verdict("undetermined", "undetermined", (), ())), 80, False)
    text = text.partition("\nbasis")[0]

    assert not re.search(r"\d ?(c|ms|s|min|h|d|%)", text)
    assert text.count("unknown") >= 5


@given(st.lists(st.tuples(texts, texts, texts), max_size=30), texts, widths)
def test_problems_keep_to_the_width_and_hide_nothing(
    findings: list[tuple[str, str, str]], detail: str, width: int
) -> None:
    found = [Finding(pointer, "bad_value", words, (), meant) for pointer, words, meant in findings]
    text = problems.problem(AosError("invalid_plan", detail, findings=found), width, False)

    assert max(map(cells, text.splitlines())) <= width
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c != "\n"]


@given(texts, texts, widths, st.booleans())
def test_lists_and_cards_keep_to_the_width(name: str, purpose: str, width: int, ascii: bool) -> None:
    described = build.skill(name)._replace(
        purpose=purpose,
        constraints={name: purpose},
        input_schema={"properties": {name: {"description": purpose}}},
    )
    for text in (
        tables.skills([described], width, False, ascii),
        tables.answer(name, {purpose: [{name: purpose}], name: None}, {name: purpose}, width, False, ascii),
        card.skill(described, {}, width, False, ascii),
        *(tables.explain(code, width, False, ascii) for code in list(CODES)[:3]),
    ):
        assert max(map(cells, text.splitlines())) <= width
        assert not [c for c in text if unicodedata.category(c) == "Cc" and c != "\n"]
        assert text.isascii() or not ascii
