"""What the commands that read recorded runs share."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

from typer import Argument, BadParameter, Option

from aos.api.learning.calibrate import conditions
from aos.api.learning.records import load_recorded, load_records
from aos.api.running.ledgers import ledger_path
from aos.domain.learning.records import Flaw, ReadRecords
from aos.domain.skills.skill import Catalog
from aos.wire.problems import visible

AUTO = "auto"

RunsArgument = Annotated[
    str | None,
    Argument(metavar="[RUNS]", help="Recorded runs: .csv or .jsonl, also .gz; `-` is standard input."),
]
FromLedger = Annotated[
    bool,
    Option("--ledger", help="Read the ledger: RUNS is then its file, and unless given that of your data."),
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

Renamed = Annotated[
    str | None,
    Option(
        "--rename",
        metavar="THEIRS=OURS",
        help="What columns of RUNS are called here, such as trace_id=run,name=skill.",
    ),
]
Without = Annotated[
    str | None,
    Option(
        "--without",
        metavar="SKILLS",
        help="Leave out their rows, such as spans around others: `agent,chain`.",
    ),
]
OfSkill = Annotated[str | None, Option("--skill", metavar="NAME", help="The skill of rows that name none.")]


def columns(text: str | None, option: str) -> tuple[str, ...]:
    """The names of columns or skills in the value of an option, joined by commas."""
    names = tuple(name.strip() for name in text.split(",")) if text is not None else ()
    if not all(names) or len(set(names)) < len(names):
        raise BadParameter("expected names, joined by commas", param_hint=option)
    return names


class Meant(NamedTuple):
    """What the options say of the columns."""

    by: str | None = None
    features: str | None = None
    renamed: str | None = None
    skill: str | None = None
    without: str | None = None

    def names(self) -> dict[str, str]:
        """What columns of the file are called here."""
        pairs = [pair.partition("=") for pair in self.renamed.split(",")] if self.renamed is not None else []
        found = {theirs.strip(): ours.strip() for theirs, _, ours in pairs}
        apart = len(set(found.values())) == len(pairs) == len(found)
        if not (apart and all(found) and all(found.values())):
            raise BadParameter("expected pairs such as trace_id=run,name=skill", param_hint="--rename")
        return found


class Loaded(NamedTuple):
    """The records with what was wrong with them, the columns that split skills, and where they are from."""

    read: ReadRecords
    split: tuple[str, ...]
    source: str


def load(
    runs: str | None,
    ledger: bool,
    catalog: Catalog,
    meant: Meant,
    *,
    share: float = 1.0,
) -> Loaded:
    """The records of a file, or of a ledger.

    With `auto` the columns that split skills are found in the first `share` of the records, so that what is found can
    be scored on the rest.
    """
    if ledger:
        for option, value in (
            ("--by", meant.by),
            ("--rename", meant.renamed),
            ("--skill", meant.skill),
            ("--without", meant.without),
        ):
            if value is not None:
                raise BadParameter("a ledger has no such columns", param_hint=option)
        numbers = columns(meant.features, "--feature")
        path = ledger_path(None if runs is None else Path(runs))
        return Loaded(load_recorded(path, catalog, features=numbers), (), str(path))
    if runs is None:
        raise BadParameter("give recorded runs: a file, or --ledger", param_hint="RUNS")
    read, split = _from_file(runs, meant, share)
    return Loaded(read, split, runs)


def _from_file(runs: str, meant: Meant, share: float) -> tuple[ReadRecords, tuple[str, ...]]:
    auto = meant.by == AUTO
    named = () if auto else columns(meant.by, "--by")
    read = load_records(
        runs,
        by=named,
        features=columns(meant.features, "--feature"),
        guess=auto,
        renamed=meant.names(),
        skill=meant.skill,
        without=columns(meant.without, "--without"),
    )
    return read, conditions(read.records, share) if auto else named


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


def tried(tries: Mapping[str, int]) -> Iterator[str]:
    """What records tell that the catalog does not say, as a line."""
    if tries:
        found = ", ".join(f"{name} ({most} times at most)" for name, most in tries.items())
        yield visible(
            f"tried again in the records, and not by the catalog: {found}; unless a catalog states their `retry`,"
            " a forecast takes the first failure of a step for its last",
            500,
        )


def _place(flaw: Flaw) -> str:
    """`line 7 (48 such rows, left out)`."""
    if flaw.code == "ignored_column":
        return "columns ignored"
    rows = "this row" if flaw.rows == 1 else f"{flaw.rows:,} such rows"
    return f"line {flaw.line:,} ({rows}, {'kept' if flaw.kept else 'left out'})"
