"""`aos catalog show`."""

from aos.api.files.sources import load_catalog
from aos.cli.answer import Answer
from aos.cli.options import Catalogs
from aos.files.config import find_config
from aos.wire.catalogs.capabilities import catalog
from aos.wire.encode import indented


def show(catalogs: Catalogs = None) -> Answer:
    """The catalog that holds here: what ships with aos, then aos.toml's, then those of --catalog.

    The output is itself a catalog.
    """
    document = catalog(load_catalog(catalogs or (), find_config()))
    return Answer(lambda: document, lambda _: indented(document["catalog"]))
