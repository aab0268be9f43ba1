"""`aos backtest`."""

from aos.api.files.sources import load_catalog
from aos.api.learning.backtest import Thresholds
from aos.api.learning.backtest import backtest as run
from aos.cli.answer import Answer, Look
from aos.cli.learning.records import (
    By,
    Features,
    FromLedger,
    Meant,
    OfSkill,
    Renamed,
    RunsArgument,
    Without,
    chosen,
    load,
    told,
)
from aos.cli.learning.scoring import AsIs, Auto, Coverage, HtmlFile, Known, Ratio, Split, before
from aos.cli.options import Catalogs, PlanOption, first
from aos.errors import Exit
from aos.files.config import find_config
from aos.files.outputs import write_file
from aos.wire.catalogs.learned import backtest as document


def backtest(
    runs: RunsArgument = None,
    ledger: FromLedger = False,
    plan: PlanOption = None,
    auto: Auto = False,
    by: By = None,
    features: Features = None,
    renamed: Renamed = None,
    skill: OfSkill = None,
    without: Without = None,
    split: Split = None,
    min_coverage: Coverage = None,
    max_crps_ratio: Ratio = None,
    known: Known = None,
    as_is: AsIs = False,
    catalogs: Catalogs = None,
    html: HtmlFile = None,
) -> Answer:
    """Score forecasts on recorded runs: learn from the earlier ones, forecast the later ones, compare.

    Scored are the attempts of every skill; with --auto whole runs, with --plan the runs that call nothing but the
    plan's skills, as often as it does; each by the sizes that it had, where time or cost grow with them. The exit
    status is 3 where a threshold is missed.
    """
    base, share = load_catalog(catalogs or (), find_config()), first(split, otherwise=0.6)
    read, conditions, source = load(
        runs, ledger, base, Meant(by, features, renamed, skill, without), share=share
    )
    result = run(
        read.records,
        base=base,
        by=conditions,
        plan=plan,
        shapes=auto,
        split=share,
        thresholds=Thresholds(min_coverage, max_crps_ratio),
        catalog=base if as_is else None,
        known=before(known, tuple(read.records.features)),
    )
    status = Exit.YES if result.kept else Exit.NO
    if html is not None:
        from aos.report.learning.backtest import page

        write_file(html, page(source, result), replace=True)

    def text(look: Look) -> str:
        from aos.report.learning import calibration

        return calibration.backtest(source, result, *look)

    return Answer(
        lambda: document(read, result, name=source, exit_status=status),
        text,
        status,
        (*told(read.flaws), *chosen(read, by, conditions)),
    )
