"""Tenants: the catalog, the money and the permissions that hold for a caller."""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

from aos.domain.skills import Catalog
from aos.wire.catalogs import default_catalog, parse_catalog
from aos.wire.strict import parse

__all__ = ["MAX_CATALOG_BYTES", "Tenants", "Terms", "catalog_of"]

MAX_CATALOG_BYTES = 1024 * 1024


class Terms(NamedTuple):
    """What holds for an agent of a tenant.

    `catalog` is a document that is laid over the shipped one, as text; None: nothing is. `budget_cents` None: nobody
    set one. `spent_cents` is what the runs that were uploaded cost, `unpriced` how many attempts in them nobody has
    priced. `forbidden` skills may not be called; "*" is every skill but those `permitted`.
    """

    tenant: str
    catalog: bytes | None = None
    budget_cents: Decimal | None = None
    spent_cents: Decimal = Decimal(0)
    unpriced: int = 0
    forbidden: frozenset[str] = frozenset()
    permitted: frozenset[str] = frozenset()

    @property
    def remaining_cents(self) -> Decimal | None:
        """What is left of the budget; None where nobody set one, or an attempt has no price."""
        if self.budget_cents is None or self.unpriced:
            return None
        return max(Decimal(0), self.budget_cents - self.spent_cents)

    def allows(self, skill: str) -> bool:
        """Whether the skill may be called."""
        return skill not in self.forbidden and ("*" not in self.forbidden or skill in self.permitted)


class Tenants(Protocol):
    """Where it is written what holds for whom."""

    async def terms(self, tenant: str, agent: str | None) -> Terms:
        """What holds for an agent of a tenant. Raises AosError where it can't be read."""


class Free:
    """Nothing is set for anybody: the shipped catalog, no budget, every skill."""

    async def terms(self, tenant: str, agent: str | None) -> Terms:
        """The same for all."""
        return Terms(tenant)


@lru_cache(maxsize=64)
def catalog_of(document: bytes | None) -> Catalog:
    """The catalog of a tenant: the shipped one with `document` laid over it.

    Raises InputError(invalid_catalog) with everything wrong with the document.
    """
    if document is None:
        return default_catalog()
    return parse_catalog(
        parse(document, "json", name="catalog", max_bytes=MAX_CATALOG_BYTES, code="invalid_catalog"),
        name="catalog",
        base=default_catalog(),
    )
