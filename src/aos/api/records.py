"""Recorded runs, read and put in order."""

from collections.abc import Sequence

from aos.domain.records import ReadRecords
from aos.files.records import read_records
from aos.wire.records import Declared

__all__ = ["load_records"]


def load_records(
    source: str, *, by: Sequence[str] = (), features: Sequence[str] = (), guess: bool = False
) -> ReadRecords:
    """Read recorded runs: CSV or JSONL, packed by gzip or not; a path, or `-` for standard input.

    `by` names columns that split a skill, `features` columns of numbers known before an attempt. With `guess` columns
    that nobody asked for are read as conditions too, where they have few values: see `aos.api.calibrate.conditions`.
    Nothing is dropped in silence: see `ReadRecords.flaws`. Raises AosError(unreadable), and InputError where no row can
    be used.
    """
    listed = read_records(source, Declared(tuple(by), tuple(features), guess))
    from aos.engine.records import put_in_order

    records, found = put_in_order(
        listed.records, listed.lines, has_steps=listed.has_steps, has_attempts=listed.has_attempts
    )
    return ReadRecords(
        records, listed.rows, tuple(sorted((*listed.flaws, *found), key=lambda flaw: flaw.line))
    )
