"""Recorded runs: which there are, what happened in one, whether the ledger is sound, and moving them elsewhere."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from aos.api.running.ledgers import ledger_path, reading
from aos.domain.runs.recorded import Held, LedgerCheck, RunLine, RunState, Within
from aos.files.sources import stdin, unreadable

__all__ = [
    "Shown",
    "check",
    "export",
    "follow",
    "held",
    "import_from",
    "listed",
    "show",
    "states",
]


_PUSHED = 100
"""Runs that are taken where none is named."""
_SCORED = 1_000
"""Runs by which forecasts are judged."""


class Shown(NamedTuple):
    """A run, and how its forecast did: None where it was not scored.

    `interrupted`: it is written as running, and no process carries it out.
    """

    state: RunState
    score: Mapping[str, Any] | None
    interrupted: bool = False


def listed(ledger: Path | None, *, limit: int, status: str | None = None) -> list[RunLine]:
    """The latest runs first. Raises AosError(needs_ledger) where there is no ledger."""
    from aos.ledger.claims import is_claimed
    from aos.ledger.reads import runs, unseen

    path = ledger_path(ledger)
    with reading(ledger) as db:
        lines = runs(db, limit=limit, status=status)
        lost = {one.id for one in lines if one.status == "running" and not is_claimed(path, one.id)}
        if lost:  # or they ended between the two looks: then it is written by now
            lines = runs(db, limit=limit, status=status)
        for i, one in enumerate(lines):
            if one.status == "running" and one.id in lost:
                money = one.money._replace(unknown=one.money.unknown + unseen(db, one.id))
                lines[i] = one._replace(interrupted=True, money=money)
        return lines


def held(ledger: Path | None) -> Held | None:
    """How the forecasts of recorded runs have held; None where none was scored. Raises AosError(needs_ledger)."""
    from aos.ledger.reads import scores

    with reading(ledger) as db:
        found = scores(db, limit=_SCORED)
    success = [one["success"] for one in found if one.get("success")]
    if not found:
        return None
    return Held(
        len(found),
        _within(one.get("time") for one in found),
        _within(one.get("cost") for one in found),
        fmean(one["chance"] for one in success) if success else None,
        fmean(one["happened"] for one in success) if success else None,
    )


def _within(scores: Iterable[Mapping[str, Any] | None]) -> Within | None:
    stood = [score["percentile"] for score in scores if score]
    return Within(*(fmean(p <= level for p in stood) for level in (0.5, 0.9, 0.95))) if stood else None


def show(ledger: Path | None, run: str | None) -> Shown:
    """The run whose id starts with `run`, None: the latest. Raises AosError: needs_ledger, run_not_found."""
    from aos.ledger.claims import is_claimed
    from aos.ledger.reads import find_run, score_of, unseen
    from aos.ledger.state import read_state

    with reading(ledger) as db:
        found = find_run(db, run)
        lost = not is_claimed(ledger_path(ledger), found)
        state = read_state(db, found)
        lost = lost and state.status == "running"
        if lost:
            money = state.money._replace(unknown=state.money.unknown + unseen(db, found))
            state = state._replace(money=money)
        return Shown(state, score_of(db, found), lost)


def states(ledger: Path | None, runs: Sequence[str]) -> Iterator[RunState]:
    """The runs whose ids start so; where none is named the latest hundred.

    Raises AosError: needs_ledger, run_not_found.
    """
    from aos.ledger.reads import find_run
    from aos.ledger.reads import runs as latest
    from aos.ledger.state import read_state

    with reading(ledger) as db:
        found = [find_run(db, run) for run in runs] or [line.id for line in latest(db, limit=_PUSHED)]
        for run in found:
            yield read_state(db, run)


def follow(
    ledger: Path | None, run: str | None, wait: Callable[[], None]
) -> Generator[Mapping[str, Any], None, str | None]:
    """The entries of a run, as they are written, until it has ended, pauses, or no process carries it out any more.

    `wait` is called between two looks. Returns the id of a run whose process has died, else None.
    """
    from aos.ledger.claims import is_claimed
    from aos.ledger.reads import entries_of, find_run

    with reading(ledger) as db:
        found, seen = find_run(db, run), 0
        while True:
            lost = not is_claimed(ledger_path(ledger), found)
            status, entries = entries_of(db, found, seen)
            for entry in entries:
                seen = entry["seq"]
                yield entry
            if lost or status != "running":
                return found if status == "running" else None
            wait()


def check(ledger: Path | None, anchor: tuple[int, str] | None = None) -> LedgerCheck:
    """Check the whole ledger; `anchor` is number and hash of an entry, noted elsewhere."""
    from aos.ledger.verify import Anchor, verify

    path = ledger_path(ledger)
    with reading(ledger):
        pass  # says what is missing or foreign, as every command does
    return verify(path, Anchor(*anchor) if anchor else None)


def export(ledger: Path | None, runs: Sequence[str] = ()) -> Iterator[str]:
    """The ledger, or the runs whose ids start so, as lines of JSON. Raises AosError: needs_ledger, run_not_found."""
    from aos.ledger.reads import find_run
    from aos.ledger.transfer import export_lines

    with reading(ledger, snapshot=True) as db:
        yield from export_lines(db, [find_run(db, run) for run in runs])


def import_from(ledger: Path | None, source: str) -> "tuple[tuple[str, ...], tuple[str, ...]]":
    """Take the runs of an export in: those that were taken, and those that were there already.

    Raises AosError: unreadable, ledger_damaged where the file is not what was exported; nothing is then taken in.
    """
    from aos.ledger.connection import create
    from aos.ledger.transfer import import_lines

    path = ledger_path(ledger)
    name = "<stdin>" if source == "-" else source
    try:
        with ExitStack() as files:
            lines = stdin() if source == "-" else files.enter_context(Path(source).open("rb"))
            if not path.exists():
                create(path)
            return import_lines(path, lines, name=name)
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from None
