"""Plans, catalogs and settings from where the caller keeps them."""

from collections.abc import Mapping, Sequence
from typing import Any

from aos.domain.skills import Catalog
from aos.files.config import Config
from aos.files.sources import read_document
from aos.wire.catalogs import default_catalog, parse_catalog
from aos.wire.plans import ParsedPlan, parse_plan


def load_catalog(paths: Sequence[str] = (), config: Config | None = None) -> Catalog:
    """The shipped catalog, then the configuration's, then `paths`: later ones add and override.

    Raises InputError(invalid_catalog) with everything wrong in the first file that has anything wrong.
    """
    config = config or Config()
    catalog = default_catalog()
    for path in config.catalogs:
        catalog = _added(catalog, path)
    if config.catalog is not None:
        catalog = parse_catalog(config.catalog, name=f"{config.path} [catalog]", base=catalog)
    for path in paths:
        catalog = _added(catalog, path)
    return catalog


def load_plan(source: str, catalog: Catalog, inputs: Mapping[str, Any] | None = None) -> ParsedPlan:
    """Read and check a plan: a path, `-` for standard input, or inline JSON.

    `inputs` override the plan's own. Raises InputError(invalid_plan) with everything wrong with it.
    """
    document = read_document(source, code="invalid_plan")
    return parse_plan(document.value, catalog, name=document.name, inputs=inputs or {})


def _added(catalog: Catalog, path: str) -> Catalog:
    document = read_document(path, code="invalid_catalog")
    return parse_catalog(document.value, name=document.name, base=catalog)
