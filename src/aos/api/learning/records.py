"""Recorded runs, read and put in order."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aos.api.running.ledgers import ledger_path, reading
from aos.domain.learning.records import ReadRecords
from aos.domain.plans.plan import order
from aos.domain.skills.skill import Catalog
from aos.errors import InputError
from aos.files.records import read_records
from aos.wire.encode import one_line
from aos.wire.plans.read import parse_plan
from aos.wire.records.read import Declared, Listed, read_jsonl

if TYPE_CHECKING:
    import sqlite3

__all__ = ["load_recorded", "load_records"]


def load_records(
    source: str,
    *,
    by: Sequence[str] = (),
    features: Sequence[str] = (),
    guess: bool = False,
    renamed: Mapping[str, str] | None = None,
    skill: str | None = None,
    without: Sequence[str] = (),
) -> ReadRecords:
    """Read recorded runs: CSV or JSONL, packed by gzip or not; a path, or `-` for standard input.

    `by` names columns that split a skill, `features` columns of numbers known before an attempt. With `guess` columns
    that nobody asked for are read as conditions too, where they have few values: see
    `aos.api.learning.calibrate.conditions`. `renamed` says what columns of the file are called here, `skill` what rows
    call that do not say it; rows of the skills in `without` are left out. Nothing is dropped in silence: see
    `ReadRecords.flaws`. Raises AosError(unreadable), and InputError where no row can be used.
    """
    declared = Declared(tuple(by), tuple(features), guess, renamed or {}, skill, tuple(without))
    return _in_order(read_records(source, declared))


def load_recorded(ledger: Path | None, catalog: Catalog, *, features: Sequence[str] = ()) -> ReadRecords:
    """Read the runs of the ledger, None: that of this user, as recorded runs. `catalog` says how a plan is ordered.

    Attempts whose end nobody saw are left out. Raises AosError(needs_ledger) where there is no ledger, and InputError
    where no attempt in it has ended.
    """
    path = ledger_path(ledger)
    with reading(path, snapshot=True) as db:
        lines = map(one_line, _rows(db, catalog, tuple(features)))
        return _in_order(read_jsonl(lines, Declared((), tuple(features)), name=str(path)))


def _rows(
    db: "sqlite3.Connection", catalog: Catalog, features: tuple[str, ...]
) -> Iterator[Mapping[str, Any]]:
    from aos.ledger.reads import plans, records

    after = {digest: _after(plan, catalog) for digest, plan in plans(db)}
    for plan, step, row in records(db, features):
        yield {**row, "after": after[plan].get(step, "")}


def _after(document: Any, catalog: Catalog) -> Mapping[str, str]:
    """Which steps each step of a plan starts after; none where the plan is none for the catalog of now."""
    try:
        steps = parse_plan(document, catalog, name="a recorded plan").plan.steps
    except InputError:
        return {}
    after = order(steps).after
    return {step.id: " ".join(steps[j].id for j in before) for step, before in zip(steps, after, strict=True)}


def _in_order(listed: Listed) -> ReadRecords:
    from aos.engine.scores.records import put_in_order

    records, found = put_in_order(
        listed.records, listed.lines, has_steps=listed.has_steps, has_attempts=listed.has_attempts
    )
    return ReadRecords(
        records, listed.rows, tuple(sorted((*listed.flaws, *found), key=lambda flaw: flaw.line))
    )
