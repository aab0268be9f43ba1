"""`aos skills`."""

from aos.api.files.sources import load_catalog
from aos.cli.answer import Answer, Look
from aos.cli.options import Catalogs
from aos.files.config import find_config
from aos.wire.catalogs.capabilities import skills as document


def skills(catalogs: Catalogs = None) -> Answer:
    """The skills a plan can call, with their typical costs and latencies, failure rates and rate limits."""
    catalog = load_catalog(catalogs or (), find_config())

    def text(look: Look) -> str:
        from aos.report import tables

        return tables.skills(catalog.skills.values(), *look)

    return Answer(lambda: document(catalog), text)
