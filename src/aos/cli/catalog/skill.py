"""`aos skill`."""

import time
from typing import Annotated

from typer import Argument

from aos.api.files.catalogs import find_skill
from aos.api.files.sources import load_catalog
from aos.api.running.history import measured_of
from aos.cli import suggest
from aos.cli.answer import Answer, Look
from aos.cli.options import Catalogs, Ledger
from aos.files.config import find_config
from aos.wire.catalogs.capabilities import skill as document


def skill(
    name: Annotated[str, Argument(help="The skill's id.", autocompletion=suggest.skills)],
    ledger: Ledger = None,
    catalogs: Catalogs = None,
) -> Answer:
    """One skill in full: what it takes and gives, what it costs, how it fails, and where each figure is from.

    Beside what the catalogs state stands what the ledger has recorded of it.
    """
    catalog = load_catalog(catalogs or (), find_config())
    found = find_skill(catalog, name)
    measured, why = measured_of(ledger, found.id)

    def text(look: Look) -> str:
        from aos.report.learning import card

        return card.skill(found, catalog.pools, *look, measured=measured, now_ms=time.time() * 1000)

    return Answer(lambda: document(found, measured, why), text)
