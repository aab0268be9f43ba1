"""`aos catalog check`."""

from typing import Annotated, Any

from typer import Argument

from aos.api.files.catalogs import check_catalog
from aos.api.files.sources import load_catalog
from aos.cli.answer import Answer, Look
from aos.files.config import find_config
from aos.wire.catalogs.capabilities import skills
from aos.wire.results.documents import envelope


def check(
    file: Annotated[
        str, Argument(metavar="FILE", help="A catalog: .json, .yaml or .toml; `-` is standard input.")
    ],
) -> Answer:
    """Find everything that is wrong with a catalog, at once; if nothing is, tell what it leaves unknown.

    It is read as an addition to the catalogs that hold here.
    """
    checked = check_catalog(file, load_catalog((), find_config()))

    def document() -> dict[str, Any]:
        return {
            **skills(checked.catalog),
            **envelope("aos.catalog-check/1"),
            "ok": True,
            "name": checked.name,
        }

    def text(look: Look) -> str:
        from aos.report import tables

        return tables.catalog(checked.name, checked.catalog, *look)

    return Answer(document, text)
