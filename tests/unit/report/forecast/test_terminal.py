from decimal import Decimal
from pathlib import Path

import pytest

from aos.domain.forecasts.alternatives import Agreement, Alternative, Declaration, Operation
from aos.domain.forecasts.attribution import Evidence, TimePart
from aos.domain.forecasts.forecast import Estimate, Risk, Unknown
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Approval, Limits, Reason, Verdict
from aos.report.forecast.terminal import simulation
from tests.unit.report import build

GOLDEN = Path(__file__).parent / "golden"


def shown(result: SimulationResult, width: int = 80) -> str:
    return simulation(result, width, colour=False)


def section(text: str, label: str) -> list[str]:
    """The lines beside a label, without their margin."""
    lines = text.split(f"\n{label.ljust(10)}")[1].split("\n\n")[0].splitlines()
    return [lines[0], *(line[10:] for line in lines[1:])]


@pytest.mark.parametrize("name", ["feasible", "infeasible"])
def test_the_whole_text(name: str) -> None:
    expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")

    assert shown(getattr(build, name)()) == expected


def test_timeouts_are_shown_though_they_seldom_end_a_step() -> None:
    risks = tuple(Risk("s1", f"FATAL_{i}", "PERMANENT", 0.02, 0.02) for i in range(5))
    often_met = Risk("s1", "TIMEOUT", "TRANSIENT", 0.3, 0.0)
    told = build.forecast([build.step("s1", "http_call", 0.0, 500.0)], risks=(*risks, often_met))

    assert any("TIMEOUT" in line and "30.0 %" in line for line in section(shown(build.result(told)), "risks"))


def test_a_single_line_says_that_every_run_costs_the_same() -> None:
    text = shown(build.feasible()._replace(limits=Limits()))

    assert section(text, "cost") == ["0c in every run"]


def test_what_runs_take_that_succeed_is_told_where_it_is_notably_else() -> None:
    told = build.feasible().forecast
    alike = told._replace(time_if_success=build.figures(1_900.0))
    longer = told._replace(time_if_success=build.figures(2_100.0))

    assert "that succeed" not in "".join(section(shown(build.result(alike)), "time"))
    assert (
        section(shown(build.result(longer)), "time")[2]
        == "of runs that succeed: p50 2.1 s, p90 2.1 s, p95 2.1 s"
    )
    unknown = longer._replace(time=None)
    assert "that succeed" not in "".join(section(shown(build.result(unknown)), "time"))


def test_a_rare_cost_is_not_taken_for_a_constant() -> None:
    rare = build.exactly(0.0)._replace(mean=Estimate(0.05, 0.007))
    told = build.feasible().forecast._replace(cost=rare, cost_at_least=rare)

    assert section(shown(build.result(told)), "cost") == ["0c in most runs, 0.05c on average"]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(), "96.4 % ± 0.2 % of runs succeed"),
        (Limits(Decimal(5)), "96.4 % ± 0.2 % of runs succeed within the budget"),
        (Limits(None, 5.0), "96.4 % ± 0.2 % of runs succeed by the deadline"),
        (Limits(Decimal(5), 5.0), "96.4 % ± 0.2 % of runs succeed within budget and deadline"),
    ],
)
def test_the_chance_names_the_limits_that_were_given(limits: Limits, words: str) -> None:
    assert shown(build.feasible()._replace(limits=limits)).splitlines()[1] == words


def test_an_unknown_chance_is_no_number() -> None:
    told = build.feasible().forecast._replace(feasible=build.chance(0.0, 1.0), success=build.chance(0.0, 1.0))
    lines = shown(build.result(told)).splitlines()

    assert lines[1] == "what share of runs succeeds is unknown"


def test_one_reason_at_many_places_is_told_once() -> None:
    reasons = tuple(Reason("unknown_cost", f"/steps/{i}", "crawl declares no price") for i in range(30))
    answer = build.feasible()._replace(verdict=Verdict("undetermined", "undetermined", reasons, ()))
    lines = section(shown(answer), "why")

    assert lines[0].split() == ["?", "Cost", "unknown", "unknown_cost"]
    assert lines[1].strip() == "crawl declares no price"
    assert lines[2].strip() == "at /steps/0, /steps/1, /steps/2, /steps/3, /steps/4 and 25 more"


def test_of_many_sentences_a_few_are_told() -> None:
    reasons = tuple(Reason("unknown_cost", "", f"model {i} has no price") for i in range(9))
    answer = build.feasible()._replace(verdict=Verdict("undetermined", "undetermined", reasons, ()))
    lines = section(shown(answer), "why")

    assert [line.strip() for line in lines[5:7]] == ["model 4 has no price", "… and 4 more"]


def test_what_is_missing_is_named_once() -> None:
    """In the verdict's reasons if it decides, else beside the figure."""
    unknown = Unknown("unknown_cost", "/steps/0", "http_call declares no price")
    told = build.feasible().forecast._replace(cost=None, unknowns=(unknown,))
    undecided = Verdict("undetermined", "undetermined", (Reason(*unknown),), ())

    assert section(shown(build.result(told)), "cost") == ["unknown", unknown.reason, "at /steps/0"]
    assert section(shown(build.result(told, undecided)), "cost") == ["unknown"]


def offered(*offers: Alternative) -> SimulationResult:
    no = Verdict("infeasible", "risk_too_high", (), ())
    return build.feasible()._replace(verdict=no, alternatives=offers)


TOLD = build.feasible().forecast


def test_a_change_of_limits_alone_is_shown_as_the_options_that_make_it() -> None:
    both = ("--budget", "137", "--deadline", "4500")
    limits = build.alternative(TOLD, "budget", Operation("add", "/budget", 137), flags=both)
    steps = limits._replace(summary="drop s2; and budget 137c", patch=(Operation("remove", "/steps/1"),))
    lines = section(shown(offered(limits, steps)), "fixes")

    assert lines[0].split("  ") == ["1", "--budget 137 --deadline 4500", "feasible, 93.0 %"]
    assert lines[1].split("  ")[:2] == ["2", "drop s2; and budget 137c"]


def test_what_changes_the_meaning_says_so() -> None:
    kept = build.alternative(TOLD, "a", Operation("add", "/steps/0/x"), assumes="it helps")
    text = shown(offered(kept, kept._replace(changes_meaning=True)))

    assert [line.strip() for line in section(text, "fixes")][1::2] == [
        "if it helps",
        "changes what the plan does: it helps",
    ]


def test_what_others_would_have_to_agree_to_is_told_apart_from_changes_of_the_plan() -> None:
    more = Agreement("slots", "gpu", 2, 4)
    offer = build.alternative(
        TOLD, "gpu: 4 slots instead of 2", assumes="there are so many of gpu", agreed=(more,)
    )
    text = shown(offered(offer))

    assert [line.strip() for line in section(text, "fixes")][1:] == [
        "changes the catalog: others have to agree",
        "if there are so many of gpu",
    ]
    assert "--apply" not in text


def test_options_that_are_not_enough_by_themselves_are_no_title() -> None:
    more = Agreement("per_minute", "ask", 6, 24)
    offer = build.alternative(TOLD, "24 calls and 5c", flags=("--budget", "5"), agreed=(more,))

    assert "24 calls and 5c" in section(shown(offered(offer)), "fixes")[0]


def test_where_time_goes_is_told_where_it_is_not_work_alone() -> None:
    def told(*parts: TimePart) -> str:
        shares = build.shares(TOLD.steps, 0.0, 0.0, 0.0)._replace(time=parts)
        return shown(build.feasible()._replace(attribution=shares))

    work = TimePart("work", None, 200.0, 0.2)
    waits = TimePart("rate_limit", None, 700.0, 0.7)._replace(name="ask")
    slots = TimePart("slots", "gpu", 99.9, 0.0999)
    assert "time goes to  70 % waits for the rate limit of ask, 20 % work" in told(work, waits)
    assert "time goes to" not in told(work._replace(share=0.9001), slots)
    assert "10 % waits for slots of gpu" in told(work, slots, TimePart("retries", None, 120.0, 0.12))


def test_only_figures_that_move_are_told() -> None:
    moved = {"cost_p95": 3.0, "time_p95": TOLD.time and TOLD.time.p95.value * 1.004}
    offer = build.alternative(TOLD, "a", Operation("add", "/steps/0/x"), outlook=moved)

    assert section(shown(offered(offer)), "fixes")[1].strip() == "cost p95 3c instead of 0c"


def test_the_hint_names_a_change_that_can_be_applied() -> None:
    offer = build.alternative(TOLD, "a", Operation("add", "/steps/0/x"))
    declared = offer._replace(declares=(Declaration("http_call", None, "cost_cents", 3.0),))

    assert section(shown(offered(declared, offer)), "fixes")[-1].startswith("aos simulate PLAN --apply 2 ")
    assert "--apply" not in shown(offered(declared))


def test_gains_of_a_feasible_plan_are_no_fixes() -> None:
    offer = build.alternative(TOLD, "a", Operation("add", "/steps/0/x"))

    assert section(shown(build.feasible()._replace(alternatives=(offer,))), "gains")[0].startswith("1  a")


def test_where_nothing_stands_out_there_is_no_driver() -> None:
    steps = [build.step(f"s{i}", "http_call", 0.0, 500.0) for i in range(20)]
    alike = build.result(build.forecast(steps))._replace(attribution=build.shares(steps, *([0.05] * 20)))
    seldom = build.feasible()._replace(attribution=build.shares(TOLD.steps, 1.0, 0.0, 0.0, chance=0.0002))

    assert "\ndrivers" not in shown(alike)
    assert "\ndrivers   spread of time  100 % from s1" in shown(seldom)


def test_records_are_asked_for_only_where_they_would_decide() -> None:
    wanted = [Evidence("unknown", "a", "cost_cents", 1.0, 0, 59, None, f"record {i}") for i in range(4)]
    told = build.feasible()._replace(evidence=tuple(wanted))
    open_ = told._replace(verdict=Verdict("undetermined", "undetermined", (), ()))

    assert "evidence" not in shown(told)
    assert section(shown(open_), "evidence") == ["record 0", "record 1"]


def test_the_typical_run_leaves_room_for_twenty_steps() -> None:
    steps = [build.step(f"s{i}", "http_call", 10.0 * i, 10.0 + i % 7) for i in range(100)]
    lines = section(shown(build.result(build.forecast(steps, typical_ms=1_000.0))), "steps")

    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == "… and 80 more"
    assert all(line.endswith(("16 ms", "15 ms")) for line in lines[1:-1])


def test_the_axis_ends_with_the_last_step_even_if_that_is_not_shown() -> None:
    steps = [build.step(f"s{i}", "http_call", 10.0 * i, 20.0) for i in range(20)]
    last = build.step("last", "json_transform", 300.0, 1.0)._replace(typical_start_ms=500.0)
    lines = section(shown(build.result(build.forecast([*steps, last]))), "steps")

    assert lines[0].split() == ["0", "501", "ms"]


def test_a_step_of_unknown_length_is_a_question_mark_where_it_starts() -> None:
    steps = [build.step("s1", "a", 0.0, 500.0), build.step("s2", "b", 500.0, None)]
    lines = section(shown(build.result(build.forecast(steps, typical_ms=None))), "steps")

    assert lines[0].split() == ["0", "at", "least", "500", "ms"]
    assert lines[2].split() == ["s2", "b", "?", "unknown"]


def test_waits_for_people_are_told_beside_the_active_time() -> None:
    approval = Approval("s3", "/steps/2/approval", 4)
    waiting = Verdict("feasible", "feasible", (), (approval,))
    told = build.feasible().forecast._replace(elapsed=build.spread(1e5, 3.6e6, 7.2e6, 9e6, 4e7))
    text = shown(build.result(told, waiting))

    assert text.splitlines()[0] == "FEASIBLE  0c, typically 810 ms, once approved"
    assert section(text, "approval") == ["s3 waits for a person of level 4  /steps/2/approval"]
    assert section(text, "time")[-1] == "p50 1 h   p90 2 h   p95 2 h 30 min   p99 11 h 7 min"


def test_markup_and_emoji_names_are_only_text() -> None:
    named = build.feasible()
    text = shown(named._replace(plan=named.plan._replace(name="[red]x[/red] :smile: [/]")))

    assert section(text, "basis")[0].startswith("[red]x[/red] :smile: [/], 3 steps")


@pytest.mark.parametrize(
    ("kept", "sgr"),
    [(0.95, "32"), (0.902, "33"), (0.898, "33"), (0.85, "31")],
    ids=["yes", "close", "near", "no"],
)
def test_a_limit_is_coloured_by_whether_it_is_kept(kept: float, sgr: str) -> None:
    told = build.feasible().forecast._replace(in_budget=build.chance(kept, se=0.003))
    text = simulation(build.result(told, limits=Limits(Decimal(100))), 80, True)

    assert f"\x1b[{sgr}m{kept * 100:.1f} % ± 0.3 %\x1b[0m of runs keep the budget" in text


def test_the_end_of_the_axis_is_the_limit_if_that_lies_beyond() -> None:
    near, far = (
        section(shown(build.feasible()._replace(limits=Limits(None, ms))), "time")[1] for ms in (3e4, 9e9)
    )

    assert near == "200 ms ▁▄█▄▂▁ ▁      │ 30 s"
    assert far == "200 ms ▁▄█▄▂▁ ▁ 16.6 s"
