"""What the commands that read recorded runs share."""

from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.calibrate import conditions
from aos.api.records import load_records
from aos.domain.records import Flaw, ReadRecords
from aos.wire.problems import visible

AUTO = "auto"

RunsArgument = Annotated[
    str, Argument(metavar="RUNS", help="Recorded runs: .csv or .jsonl, also .gz; `-` is standard input.")
]
By = Annotated[
    str | None,
    Option(
        metavar="COLUMNS",
        help="Columns that split a skill, such as provider,region; `auto`: those that help to foretell.",
    ),
]
Features = Annotated[
    str | None,
    Option(
        "--feature", metavar="COLUMNS", help="Columns of numbers known before an attempt, such as tokens."
    ),
]


def columns(text: str | None, option: str) -> tuple[str, ...]:
    """The names of columns in the value of an option, joined by commas."""
    names = tuple(name.strip() for name in text.split(",")) if text is not None else ()
    if not all(names) or len(set(names)) < len(names):
        raise BadParameter("expected names of columns, joined by commas", param_hint=option)
    return names


def load(
    runs: str, by: str | None, features: str | None, *, share: float = 1.0
) -> tuple[ReadRecords, tuple[str, ...]]:
    """The records with what was wrong with them, and the columns that split skills.

    With `auto` these are found in the first `share` of the records, so that what is found can be scored on the rest.
    """
    numbers = columns(features, "--feature")
    if by != AUTO:
        named = columns(by, "--by")
        return load_records(runs, by=named, features=numbers), named
    read = load_records(runs, features=numbers, guess=True)
    return read, conditions(read.records, share)


def chosen(read: ReadRecords, by: str | None, split: tuple[str, ...]) -> tuple[str, ...]:
    """What `auto` found, as a line; nothing where the columns were named."""
    if by != AUTO:
        return ()
    left = [name for name in read.records.conditions if name not in split]
    found = f"skills are split by {', '.join(split)}" if split else "skills are not split"
    return (visible(f"{found}; nothing is gained by {', '.join(left)}" if left else found, 300),)


def told(flaws: tuple[Flaw, ...]) -> tuple[str, ...]:
    """A line for each kind of flaw."""
    return tuple(f"{_place(flaw)}: {visible(flaw.detail, 300)}" for flaw in flaws)


def _place(flaw: Flaw) -> str:
    """`line 7 (48 such rows, left out)`."""
    if flaw.code == "ignored_column":
        return "columns ignored"
    rows = "this row" if flaw.rows == 1 else f"{flaw.rows:,} such rows"
    return f"line {flaw.line:,} ({rows}, {'kept' if flaw.kept else 'left out'})"
