"""Questions about catalogs: one skill of it, one file of it."""

from typing import NamedTuple

from aos.api.files.sources import read_catalog
from aos.domain.skills.skill import Catalog, Skill
from aos.errors import AosError
from aos.wire.catalogs.read import parse_catalog
from aos.wire.shape import no_such


class CheckedCatalog(NamedTuple):
    """A catalog file without a fault: what people call it, and the skills it names as they then are."""

    name: str
    catalog: Catalog


def find_skill(catalog: Catalog, name: str) -> Skill:
    """The skill of that name. Raises AosError(skill_not_found), with the one that was probably meant."""
    if name in catalog.skills:
        return catalog.skills[name]
    found = no_such("skill", name, catalog.skills, code="skill_not_found")
    raise AosError(found.code, found.detail, findings=[found])


def check_catalog(source: str, base: Catalog) -> CheckedCatalog:
    """Read the catalog at a path, `-` or in JSON itself, as an addition to `base`.

    Raises InputError(invalid_catalog) with everything that is wrong with it.
    """
    document = read_catalog(source)
    merged = parse_catalog(document.value, name=document.name, base=base)
    named = document.value.get("skills") if isinstance(document.value, dict) else None
    own = {name: merged.skills[name] for name in (named if isinstance(named, dict) else {})}
    return CheckedCatalog(document.name, merged._replace(skills=own))
