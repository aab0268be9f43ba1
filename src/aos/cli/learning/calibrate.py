"""`aos calibrate`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from aos.api.files.sources import load_catalog
from aos.api.learning.calibrate import calibrate as learn
from aos.api.learning.learned import catalog_text, compared, learned_document, tried_again
from aos.cli.answer import Answer, Look
from aos.cli.catalog.drafts import Force, ending
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
    tried,
)
from aos.cli.options import Catalogs
from aos.files.config import find_config
from aos.files.outputs import write_file
from aos.wire.catalogs.learned import calibration as document
from aos.wire.problems import visible

Out = Annotated[Path | None, Option("--out", metavar="FILE", help="Write the catalog there: .toml or .json.")]


def calibrate(
    runs: RunsArgument = None,
    ledger: FromLedger = False,
    by: By = None,
    features: Features = None,
    renamed: Renamed = None,
    skill: OfSkill = None,
    without: Without = None,
    out: Out = None,
    force: Force = False,
    catalogs: Catalogs = None,
) -> Answer:
    """Learn a catalog from recorded runs: how long each skill takes, what it costs, how it fails.

    What the records do not tell stays as the catalogs have it that hold here. `aos simulate --catalog FILE` reads what
    is written; large catalogs are read faster from .json. Rows that can't be used as they are get counted and told.
    """
    form = ending(out, ".toml", ".json")
    base = load_catalog(catalogs or (), find_config())
    read, conditions, source = load(runs, ledger, base, Meant(by, features, renamed, skill, without))
    learned = learn(read.records, base=base, by=conditions)
    rows = compared(learned, base)
    catalog, tries = learned_document(learned), tried_again(learned, read.records)
    if out:
        write_file(out, catalog_text(catalog, form), replace=force)
    written = [str(out)] if out else []

    def text(look: Look) -> str:
        from aos.report.learning import calibration

        wrote = "".join(f"wrote {visible(path, 200)}\n" for path in written)
        return calibration.calibration(source, read, rows, learned.catalog, *look) + wrote

    return Answer(
        lambda: document(read, rows, catalog, name=source, by=conditions, written=written, tried_again=tries),
        text,
        aside=(*told(read.flaws), *chosen(read, by, conditions), *tried(tries)),
    )
