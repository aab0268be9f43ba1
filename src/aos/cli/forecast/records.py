"""What the commands that read recorded runs share."""

from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.records import load_records
from aos.domain.records import Flaw, ReadRecords
from aos.wire.problems import visible

RunsArgument = Annotated[
    str, Argument(metavar="RUNS", help="Recorded runs: .csv or .jsonl, also .gz; `-` is standard input.")
]
By = Annotated[
    str | None, Option(metavar="COLUMNS", help="Columns that split a skill, such as provider,region.")
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


def load(runs: str, by: tuple[str, ...], features: str | None) -> ReadRecords:
    """The records, and what was wrong with them."""
    return load_records(runs, by=by, features=columns(features, "--feature"))


def told(flaws: tuple[Flaw, ...]) -> tuple[str, ...]:
    """A line for each kind of flaw."""
    return tuple(f"{_place(flaw)}: {visible(flaw.detail, 300)}" for flaw in flaws)


def _place(flaw: Flaw) -> str:
    """`line 7 (48 such rows, left out)`."""
    if flaw.code == "ignored_column":
        return "columns ignored"
    rows = "this row" if flaw.rows == 1 else f"{flaw.rows:,} such rows"
    return f"line {flaw.line:,} ({rows}, {'kept' if flaw.kept else 'left out'})"
