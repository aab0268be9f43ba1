"""What `aos backtest` scores, and what it holds the scores to."""

from pathlib import Path
from typing import Annotated

from typer import BadParameter, Option

from aos.cli.learning.records import columns
from aos.cli.values import share


def factor(text: str) -> float:
    """A ratio above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise BadParameter("expected a number above 0, such as 0.9")
    return value


def before(text: str | None, features: tuple[str, ...]) -> tuple[str, ...]:
    """The features that --known names; all where it is left out."""
    if text is None:
        return features
    known = columns(text, "--known")
    for name in known:
        if name not in features:
            raise BadParameter(f"{name} is none of --feature", param_hint="--known")
    return known


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
Known = Annotated[
    str | None,
    Option(
        "--known",
        metavar="NAMES",
        help="The features that are known before a run: forecasts use no others. All of --feature unless said.",
    ),
]

HtmlFile = Annotated[
    Path | None,
    Option("--html", metavar="FILE", help="Also write a page with pictures that needs nothing else."),
]
