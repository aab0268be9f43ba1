"""What may start when, on a clock of the test's own. That it is as forecast, property/runs/test_run_laws.py shows."""

from aos.domain.plans.plan import Plan, Step
from aos.domain.runs.recorded import Attempted, begun
from aos.domain.runs.run import Intent, Place
from aos.domain.skills.skill import RateLimit, RetryPolicy
from aos.runtime.schedule import Ask, Attempt, Closed, Failed, Open, Schedule
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import start
from tests.unit.runtime.virtual import Told, run

LOST = Failed("TRANSIENT", "none", repeatable=False)


def plan(*steps: Step) -> Plan:
    return Plan(steps)


def starts(of: Plan, *skills: object, told: object = None, **more: object) -> list[tuple[float, str, int]]:
    """When which attempts start, if each takes 10 ms and the script says nothing else."""
    script = told if callable(told) else lambda attempt: Told(10.0)
    ran = run(of, catalog(*skills, **more), script)  # type: ignore[arg-type]
    return [(at, str(attempt.place), attempt.number) for at, attempt in ran.attempts]


def test_a_slot_is_kept_through_the_waits_between_attempts():
    busy = skill("busy", pool="one", retry=RetryPolicy(2, backoff_ms=100))
    of = plan(Step("a", "busy", {}, needs=()), Step("b", "busy", {}, needs=()))

    def told(attempt: Attempt) -> Told:
        return Told(10.0, LOST if attempt.place.step == "a" and attempt.number == 1 else None)

    assert starts(of, busy, told=told, pools={"one": 1}) == [(0, "a", 1), (110, "a", 2), (120, "b", 1)]


def test_a_retry_asks_the_rate_limiter_again():
    limited = skill("limited", rate_limit=RateLimit(60, 1), retry=RetryPolicy(2, backoff_ms=100))
    of = plan(Step("a", "limited", {}))
    assert starts(of, limited, told=lambda attempt: Told(10.0, LOST if attempt.number == 1 else None)) == [
        (0, "a", 1),
        (1000, "a", 2),
    ]


def test_whoever_was_ready_first_is_served_first():
    of = plan(
        Step("slow", "free", {}, needs=()),
        Step("quick", "free", {}, needs=()),
        Step("a", "one", {}, needs=("slow",)),
        Step("b", "one", {}, needs=("quick",)),
        Step("c", "one", {}, needs=("quick",)),
    )

    def told(attempt: Attempt) -> Told:
        return Told({"slow": 15.0, "quick": 5.0}.get(attempt.place.step, 10.0))

    one = skill("one", pool="one")
    order = [name for _, name, _ in starts(of, skill("free"), one, told=told, pools={"one": 1})]
    assert order == ["slow", "quick", "b", "c", "a"]


def test_nothing_starts_once_it_was_stopped_and_what_is_under_way_may_end():
    schedule = Schedule(plan(Step("a", "work", {}), Step("b", "work", {})), catalog(skill()))
    assert schedule.advance(0) == [Open(0)]
    schedule.opened(0, 1)
    assert schedule.advance(0) == [Attempt(Place("a"), 1)]
    schedule.stop()
    schedule.ended(Place("a"), None, 10)
    assert schedule.advance(10) == [Closed(0, "succeeded")]
    assert schedule.idle
    assert not schedule.finished


def test_a_stopped_call_is_not_tried_again():
    again = skill(retry=RetryPolicy(3, backoff_ms=5))
    schedule = Schedule(plan(Step("a", "work", {})), catalog(again))
    schedule.advance(0)
    schedule.opened(0, 1)
    schedule.advance(0)
    schedule.stop()
    schedule.ended(Place("a"), LOST, 10)
    assert schedule.advance(20) == []
    assert schedule.wake is None
    assert schedule.idle


def test_a_person_is_asked_before_the_queue():
    schedule = Schedule(plan(Step("a", "work", {}, approval=2)), catalog(skill()))
    schedule.advance(0)
    schedule.opened(0, 1)
    assert schedule.advance(0) == [Ask(0)]
    assert schedule.idle
    schedule.answered(0, True, 500)
    assert schedule.advance(500) == [Attempt(Place("a"), 1)]


def test_an_interrupted_attempt_does_not_use_up_those_that_the_policy_grants():
    schedule = Schedule(plan(Step("a", "work", {})), catalog(skill()))
    schedule.advance(0)
    schedule.opened(0, 1)
    schedule.advance(0)
    schedule.ended(Place("a"), LOST._replace(interrupted=True), 1)
    assert schedule.advance(1) == [Attempt(Place("a"), 2)]


def test_what_is_on_record_needs_no_slot_no_permit_and_no_wait():
    limited = skill("limited", pool="one", rate_limit=RateLimit(1, 1), retry=RetryPolicy(3, backoff_ms=1000))
    of = plan(Step("a", "limited", {}), Step("b", "limited", {}))
    made = [Intent("r1", Place("a"), "limited", n, "", "", True, 0.0) for n in (1, 2)]
    past = begun(start(of))._replace(attempts=tuple(Attempted(one, None, None) for one in made))
    schedule = Schedule(of, catalog(limited, pools={"one": 1}), past)
    schedule.advance(0)
    schedule.opened(0, 1)
    assert schedule.advance(0) == [Attempt(Place("a"), 1)]
    schedule.ended(Place("a"), LOST, 0)
    assert schedule.advance(0) == [Attempt(Place("a"), 2)]
    schedule.ended(Place("a"), None, 0)
    assert schedule.advance(0) == [Closed(0, "succeeded"), Open(1)]
    schedule.opened(1, 1)
    assert schedule.advance(0) == [Attempt(Place("b"), 1)]


def test_without_money_no_step_begins_and_what_has_begun_goes_on():
    of = plan(
        Step("a", "work", {}, needs=(), iterations=2),
        Step("dear", "work", {}, needs=()),
        Step("b", "work", {}, needs=("a",)),
    )
    schedule = Schedule(of, catalog(skill()))
    schedule.advance(0)
    schedule.opened(0, 1)
    schedule.opened(1, 1)
    assert schedule.advance(0) == [Attempt(Place("a"), 1), Attempt(Place("dear"), 1)]
    schedule.refuse(Place("dear"))
    schedule.ended(Place("a"), None, 10)
    assert schedule.advance(10) == [Attempt(Place("a", 0, 1), 1)]
    schedule.ended(Place("a", 0, 1), None, 20)
    assert schedule.advance(20) == [Closed(0, "succeeded"), Open(2)]
    schedule.opened(2, 1)
    assert schedule.advance(20) == []
    assert schedule.idle
    assert schedule.refused == Place("dear")
