"""Whose turn it is: whoever comes back from an attempt carries the run on, and nobody is in anybody's way."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from aos.domain.plans.plan import OnError, Plan, Step
from aos.domain.runs.happenings import AttemptStarted, Happening
from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import Intent, Settled
from aos.domain.skills.skill import RetryPolicy
from aos.runtime.executor import Executor
from aos.runtime.memory import Memory
from aos.runtime.skills import Call, Reply
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, codes, ends, fails, writer

LONG_S = 10.0
PATIENT: dict[str, Any] = {"grace_ms": LONG_S * 1000}  # what is told to stop has the time to hear of it
SHORT: dict[str, Any] = {"grace_ms": 10.0}


def chain(*skills: str) -> tuple[Step, ...]:
    """One after the other: all but the first are made by the thread that came back from the one before."""
    return tuple(Step(f"s{i}", name, {}) for i, name in enumerate(skills, 1))


def hears(_: Any, call: Call) -> Reply:
    assert call.cancelled.wait(LONG_S)
    return fails("CANCELLED")


def gone() -> None:
    """Wait until the threads of attempts have ended."""
    for thread in threading.enumerate():
        if thread.name == "aos attempt":
            thread.join(LONG_S)
            assert not thread.is_alive()


@contextmanager
def deaf(begun: Event) -> Iterator[Told]:
    """A skill that hears nothing and never comes back, until the test is over."""
    over = Event()

    def hang(*_: Any) -> Reply:
        begun.set()
        over.wait(LONG_S)
        return Reply("too late")

    try:
        yield Told(hang)
    finally:
        over.set()


# -- one after the other --------------------------------------------------------------------------------------------


def test_one_thread_makes_steps_that_follow_each_other():
    threads: list[int] = []

    def work(*_: Any) -> Reply:
        threads.append(threading.get_ident())
        return Reply("done")

    state = Bench(work=Told(*[work] * 30)).run(*chain(*["work"] * 30))
    assert state.status == "succeeded"
    assert len(threads) == 30
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("raised", [RuntimeError("oh"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_a_skill_raises_is_a_failed_step_and_the_run_goes_on(raised: BaseException):
    def breaks(*_: Any) -> Reply:
        raise raised

    first, second, third = chain("quick", "breaks", "quick")
    second = second._replace(on_error=OnError("continue"))
    state = Bench(quick=Told(), breaks=Told(breaks)).run(first, second, third)
    assert state.status == "succeeded"
    assert ends(state) == {"s1": "succeeded", "s2": "failed", "s3": "succeeded"}
    assert codes(state, "s2") == ["SKILL_ERROR"]


def test_an_attempt_that_hangs_is_given_up_whoever_made_it():
    with deaf(Event()) as hangs:
        first, second, third = chain("quick", "hangs", "quick")
        second = second._replace(timeout_s=0.02, on_error=OnError("continue"))
        bench = Bench(quick=Told(), hangs=hangs)
        state = bench.run(first, second, third, **SHORT)
    assert state.status == "succeeded"
    assert codes(state, "s2") == ["TIMEOUT"]
    assert hangs.calls[0][1].cancelled.is_set()
    assert not bench.skills["quick"].calls[1][1].cancelled.is_set()


# -- being told to stop ---------------------------------------------------------------------------------------------


def test_a_signal_ends_the_attempt_under_way():
    def signalled(params: Any, call: Call) -> Reply:
        os.kill(os.getpid(), signal.SIGUSR1)
        return hears(params, call)

    bench = Bench(quick=Told(), signalled=Told(signalled))
    executor = bench.executor(Plan(chain("quick", "quick", "signalled", "quick")), **PATIENT)
    before = signal.signal(signal.SIGUSR1, lambda *_: executor.stop())
    try:
        state = executor.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert state.status == "cancelled"
    assert codes(state, "s3") == ["CANCELLED"]
    assert not codes(state, "s4")


def test_an_interrupt_that_nobody_handles_ends_the_run_at_once():
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def signalled(params: Any, call: Call) -> Reply:
        os.kill(os.getpid(), signal.SIGUSR1)
        return hears(params, call)

    bench = Bench(quick=Told(), signalled=Told(signalled))
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            bench.run(*chain("quick", "signalled", "quick"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    gone()
    assert len(bench.skills["quick"].calls) == 1


def test_a_run_that_is_stopped_does_not_wait_for_what_hears_nothing():
    known = catalog(skill("quick"), writer("hangs"))
    begun = Event()
    with deaf(begun) as hangs:
        bench = Bench(quick=Told(), hangs=hangs)
        state = stopped(bench.executor(Plan(chain("quick", "hangs", "quick")), known, **SHORT), begun)
    assert state.status == "cancelled"
    assert codes(state, "s2") == ["?"]


def test_a_chain_of_quick_steps_hears_that_it_is_to_stop():
    def work(_: Any, call: Call) -> Reply:
        if call.place.iteration == 20:
            executor.stop()
        return Reply("done")

    bench = Bench(quick=Told(*[work] * 100))
    executor = bench.executor(Plan((Step("a", "quick", {}, iterations=100),)), **PATIENT)
    assert executor.run().status == "cancelled"
    assert len(bench.skills["quick"].calls) == 21


def stopped(executor: Executor, begun: Event) -> RunState:
    """The run, carried out by a thread of its own and told to stop once `begun`."""
    states: list[RunState] = []
    thread = Thread(target=lambda: states.append(executor.run()))
    thread.start()
    assert begun.wait(LONG_S)
    executor.stop()
    thread.join(LONG_S)
    (state,) = states
    return state


def test_a_run_can_be_carried_out_by_any_thread():
    begun = Event()

    def begins(params: Any, call: Call) -> Reply:
        begun.set()
        return hears(params, call)

    bench = Bench(quick=Told(), begins=Told(begins))
    state = stopped(bench.executor(Plan(chain("quick", "begins")), **PATIENT), begun)
    assert state.status == "cancelled"
    assert codes(state, "s2") == ["CANCELLED"]


# -- side by side ---------------------------------------------------------------------------------------------------


def test_what_becomes_ready_during_an_attempt_starts():
    again = Event()

    def second_try(*_: Any) -> Reply:
        again.set()
        return Reply("done")

    def waits(*_: Any) -> Reply:
        return Reply(again.wait(LONG_S))

    retried = skill("retried", retry=RetryPolicy(2, backoff_ms=20))
    state = Bench(quick=Told(), waits=Told(waits), retried=Told(fails("TIMEOUT"), second_try)).run(
        Step("a", "quick", {}, needs=()),
        Step("b", "waits", {}, needs=("a",)),
        Step("c", "retried", {}, needs=()),
        known=catalog(skill("quick"), skill("waits"), retried),
    )
    assert state.status == "succeeded"
    assert state.steps["b"].output is True


class Held(Memory):
    """A journal that takes down `last` only once `begun` is set."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.last, self.begun = last, Event()

    def intend(self, *intents: Intent) -> bool:
        assert intents[0].place.step != self.last or self.begun.wait(LONG_S)
        return super().intend(*intents)


def test_an_attempt_does_not_wait_for_what_else_is_to_be_written():
    def begins(*_: Any) -> Reply:
        journal.begun.set()
        return Reply("done")

    bench = Bench(quick=Told(), begins=Told(begins))
    bench.journal = journal = Held("d")
    state = bench.run(
        Step("a", "quick", {}),
        Step("b", "begins", {}, needs=("a",)),
        Step("c", "quick", {"key": "${secrets.NONE}"}, needs=("a",), on_error=OnError("continue")),
        Step("d", "quick", {}, needs=("c",)),
    )
    assert state.status == "succeeded"


class Alone(Memory):
    """A journal that sees whether two write at once."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = 0

    @contextmanager
    def _writes(self) -> Iterator[None]:
        self.writing += 1
        assert self.writing == 1
        time.sleep(0)
        yield
        self.writing -= 1

    def intend(self, *intents: Intent) -> bool:
        with self._writes():
            return super().intend(*intents)

    def settle(self, settled: Settled) -> None:
        with self._writes():
            super().settle(settled)


def test_turns_are_taken_one_at_a_time_and_none_is_lost():
    bench = Bench(quick=Told())
    bench.journal = Alone()
    state = bench.run(*[Step(f"s{i}", "quick", {}, needs=(), iterations=20) for i in range(20)])
    assert state.status == "succeeded"
    assert len(state.attempts) == len(bench.skills["quick"].calls) == 400


# -- what goes wrong ------------------------------------------------------------------------------------------------


def test_what_a_turn_raises_ends_the_run_in_whichever_thread_it_is_taken():
    def watch(happening: Happening) -> None:
        if isinstance(happening, AttemptStarted) and happening.intent.place.step == "s3":
            raise LookupError("nobody looks")

    bench = Bench(quick=Told(), hears=Told(hears))
    bench.watch = watch
    beside, known = Step("beside", "hears", {}, needs=()), catalog(writer("quick"), writer("hears"))
    with pytest.raises(LookupError, match="nobody looks"):
        bench.run(*chain("quick", "quick", "quick", "quick"), beside, known=known)
    gone()
    assert len(bench.skills["quick"].calls) == 2
    assert bench.skills["hears"].calls[0][1].cancelled.is_set()
