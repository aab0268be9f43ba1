"""Plans, catalogs and settings from where the caller keeps them."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from aos.domain.skills.skill import Catalog
from aos.errors import InputError
from aos.files.config import Config
from aos.files.sources import Document, read_document
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.problems import visible

if TYPE_CHECKING:
    from aos.wire.plans.read import ParsedPlan

MAX_CATALOG_BYTES = 64 * 1024 * 1024
MAX_CATALOG_NODES = 10_000_000
"""A catalog that was learned holds recorded runs, and so may be much larger than what people write."""


def load_catalog(paths: Sequence[str | PathLike[str]] = (), config: Config | None = None) -> Catalog:
    """The shipped catalog, then the configuration's, then `paths`: later ones add and override.

    Raises InputError(invalid_catalog) with everything wrong in the first file that has anything wrong.
    """
    config = config or Config()
    catalog = default_catalog()
    for configured in config.catalogs:
        catalog = _added(catalog, configured)
    if config.catalog is not None:
        catalog = parse_catalog(config.catalog, name=f"{config.path} [catalog]", base=catalog)
    for path in paths:
        catalog = _added(catalog, fspath(path))
    return catalog


def load_plan(
    source: str | PathLike[str] | Mapping[str, Any] | Sequence[Any],
    catalog: Catalog,
    inputs: Mapping[str, Any] | None = None,
) -> "ParsedPlan":
    """Read and check a plan: a path, `-` for standard input, inline JSON, or what that would be in Python.

    `inputs` override the plan's own. Raises InputError(invalid_plan) with everything wrong with it.
    """
    from aos.wire.plans.read import parse_plan

    document = read_document(_source(source), code="invalid_plan")
    return parse_plan(document.value, catalog, name=document.name, inputs=inputs or {})


def _source(plan: str | PathLike[str] | Mapping[str, Any] | Sequence[Any]) -> str:
    if isinstance(plan, str | PathLike):
        return fspath(plan)
    try:
        return json.dumps(plan)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("invalid_plan", f"the plan is no JSON: {visible(str(error), 200)}") from None


def read_catalog(path: str) -> Document:
    """Read a catalog's document. Raises InputError(invalid_catalog) where it is none at all."""
    return read_document(
        path, code="invalid_catalog", max_bytes=MAX_CATALOG_BYTES, max_nodes=MAX_CATALOG_NODES
    )


def _added(catalog: Catalog, path: str) -> Catalog:
    document = read_catalog(path)
    return parse_catalog(document.value, name=document.name, base=catalog)
