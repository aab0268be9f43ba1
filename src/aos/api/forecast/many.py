"""Forecast many plans, a line each, on all cores; answers come in the order of the lines."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from queue import Queue
from typing import Any, NamedTuple, TypeVar

from aos.api.forecast.cases import check_samples
from aos.api.forecast.simulate import simulate
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES, Limits, Verdict
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, Exit
from aos.files.lines import Line
from aos.wire.encode import one_line
from aos.wire.problems import problem
from aos.wire.requests import Request, parse_request
from aos.wire.results.simulations import simulation, summary

T = TypeVar("T")

_AHEAD = 4
"""Groups of lines that are read ahead for each process."""


class Terms(NamedTuple):
    """What holds for every line: of a line, these terms, the plan and `fallback` the first that sets a limit wins.

    `status` is the exit status of a verdict; `brief` leaves out what is about single steps; `gate` gives a simulation
    back with what rules say. All of it can be sent to other processes.
    """

    catalog: Catalog
    status: Callable[[Verdict], Exit]
    limits: Limits = Limits()
    fallback: Limits = Limits()
    samples: int = DEFAULT_SAMPLES
    seed: int = 0
    brief: bool = False
    gate: Callable[[SimulationResult], SimulationResult] | None = None


class Answer(NamedTuple):
    """A line of output: a document in one line, and the exit status that it would have alone."""

    text: str
    status: Exit


def answers(terms: Terms, arriving: Iterable[list[Line]], processes: int) -> Generator[Answer]:
    """Answer lines as they arrive, in groups that are there at once, in that many processes.

    What is wrong with a line is its answer, and the next one follows. No more is read ahead than keeps the
    processes busy, so memory stays as it is however long the input. Raises AosError(usage) for samples out of
    range, and what reading raises.
    """
    check_samples(terms.samples)
    if processes == 1:
        for lines in arriving:
            yield from (answer(terms, line) for line in lines)
        return
    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(processes, _context(), _begin, (terms,))
    try:
        pool.submit(int).result()  # starts all processes, while there is no second thread here
        for future in _submitted(pool, arriving, _AHEAD * processes):
            yield from future.result()
    except BaseException:
        for process in multiprocessing.active_children():
            if process not in others:
                process.terminate()  # nobody waits for what it is at
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def answer(terms: Terms, line: Line) -> Answer:
    """Forecast the plan of one line. What goes wrong is an answer too, also where the fault is ours."""
    number, data = line
    name, request = f"line {number}", Request(None)
    try:
        request = parse_request(data, name=name)
        document, status = _simulated(terms, request, name)
    except AosError as error:
        document, status = problem(error), error.row.exit
    except Exception as error:
        fault = AosError("internal_error", f"{name}: {type(error).__name__}: {error}")
        document, status = problem(fault), fault.row.exit
    head = {key: document.pop(key) for key in ("schema", "aos_version")}
    return Answer(one_line({**head, "line": number, "id": request.id, **document}), status)


def _simulated(terms: Terms, request: Request, name: str) -> tuple[dict[str, Any], Exit]:
    parsed = request.parsed(terms.catalog, name=name)
    asked, own, last = terms.limits, parsed.plan, terms.fallback
    result = simulate(
        parsed.plan,
        terms.catalog,
        asked._replace(
            budget_cents=_first(
                request.budget_cents, asked.budget_cents, own.budget_cents, last.budget_cents
            ),
            deadline_ms=_first(request.deadline_ms, asked.deadline_ms, own.deadline_ms, last.deadline_ms),
        ),
        samples=terms.samples,
        seed=terms.seed if request.seed is None else request.seed,
        explain=False,
        alternatives=False,
        notes=parsed.notes,
    )
    if terms.gate is not None:
        result = terms.gate(result)
    status = terms.status(result.verdict)
    return (summary if terms.brief else simulation)(result, status), status


def _first(*values: T | None) -> T | None:
    return next((value for value in values if value is not None), None)


# -- processes ---------------------------------------------------------------------------------------------


def _context() -> BaseContext:
    """A fork has at once all that is loaded here; it is safe on Linux where there is no other thread."""
    alone = threading.active_count() == 1 and sys.platform == "linux"
    return multiprocessing.get_context("fork" if alone else "spawn")


class _Worker:
    """What a process keeps from line to line: the terms, and with them every table that was made for their catalog."""

    terms: Terms


def _begin(terms: Terms) -> None:
    """The process that asked decides when to end; if it is gone, nobody wants the answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.terms = terms


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        wait([parent.sentinel])
        os._exit(1)


def _group(lines: list[Line]) -> list[Answer]:
    return [answer(_Worker.terms, line) for line in lines]


def _submitted(
    pool: ProcessPoolExecutor, arriving: Iterable[list[Line]], ahead: int
) -> Iterator[Future[list[Answer]]]:
    """The groups at work, in order. A thread reads, so that answers go out while no line comes in."""
    queue: Queue[Future[list[Answer]] | BaseException | None] = Queue(ahead)

    def feed() -> None:
        try:
            for lines in arriving:
                queue.put(pool.submit(_group, lines))
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    threading.Thread(target=feed, daemon=True).start()
    while (item := queue.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item
