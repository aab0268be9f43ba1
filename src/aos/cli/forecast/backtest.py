"""`aos backtest`."""

from typing import Annotated

from typer import BadParameter, Option

from aos.api.backtest import Thresholds
from aos.api.backtest import backtest as run
from aos.api.sources import load_catalog
from aos.cli.answer import Answer, Look
from aos.cli.forecast.records import By, Features, RunsArgument, columns, load, told
from aos.cli.options import Catalogs, PlanOption, first
from aos.cli.values import share
from aos.errors import Exit
from aos.files.config import find_config
from aos.wire.learned import backtest as document


def factor(text: str) -> float:
    """A ratio above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise BadParameter("expected a number above 0, such as 0.9")
    return value


Auto = Annotated[bool, Option("--auto", help="Forecast the recorded runs, too, by their shape.")]
AsIs = Annotated[bool, Option("--as-is", help="Score the catalog as it is; learn nothing from the past.")]
Split = Annotated[
    float | None,
    Option(parser=share, metavar="SHARE", help="How many of the runs are the past; 0.6 unless said."),
]
Coverage = Annotated[
    float | None,
    Option(parser=share, metavar="SHARE", help="The least share of outcomes inside the 90 % intervals."),
]
Ratio = Annotated[
    float | None,
    Option(
        parser=factor, metavar="RATIO", help="The most that CRPS may be, over that of forecasting the mean."
    ),
]


def backtest(
    runs: RunsArgument,
    plan: PlanOption = None,
    auto: Auto = False,
    by: By = None,
    features: Features = None,
    split: Split = None,
    min_coverage: Coverage = None,
    max_crps_ratio: Ratio = None,
    as_is: AsIs = False,
    catalogs: Catalogs = None,
) -> Answer:
    """Score forecasts on recorded runs: learn from the earlier ones, forecast the later ones, compare.

    Scored are the attempts of every skill; with --auto whole runs, with --plan the runs that call nothing but the
    plan's skills. The exit status is 3 where a threshold is missed.
    """
    base = load_catalog(catalogs or (), find_config())
    conditions = columns(by, "--by")
    read = load(runs, conditions, features)
    result = run(
        read.records,
        base=base,
        by=conditions,
        plan=plan,
        shapes=auto,
        split=first(split, otherwise=0.6),
        thresholds=Thresholds(min_coverage, max_crps_ratio),
        catalog=base if as_is else None,
    )
    status = Exit.YES if result.kept else Exit.NO

    def text(look: Look) -> str:
        from aos.report import calibration

        return calibration.backtest(runs, result, *look)

    return Answer(
        lambda: document(read, result, name=runs, exit_status=status), text, status, told(read.flaws)
    )
