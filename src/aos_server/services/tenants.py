"""Tenants: the catalog, the money and the permissions that hold for a caller."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar

from aos.domain.skills.skill import Catalog
from aos.errors import AosError, InputError
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.strict import parse
from aos_server.db.pool import Database, Row, Statement
from aos_server.services.policy.active import Rules, sources

__all__ = [
    *("MAX_CATALOG_BYTES", "Budget", "Held", "Permissions", "Stored", "Superseded", "Tenants", "Terms"),
    *("catalog_of", "check_held", "held", "while_held"),
]

MAX_CATALOG_BYTES = 1024 * 1024

_FRESH_S = 1.0
_KEPT = 10_000
_TRIES = 3

T = TypeVar("T")


class Budget(NamedTuple):
    """Money. `total_cents` None: nobody set a limit. `unpriced` counts attempts that nobody has priced."""

    total_cents: Decimal | None = None
    spent_cents: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def remaining_cents(self) -> Decimal | None:
        """What is left; None where there is no limit, or an attempt has no price."""
        if self.total_cents is None or self.unpriced:
            return None
        return max(Decimal(0), self.total_cents - self.spent_cents)


class Permissions(NamedTuple):
    """Skills that may not be called, and, where "*" is among them, those that may all the same."""

    forbidden: frozenset[str] = frozenset()
    permitted: frozenset[str] = frozenset()

    def allows(self, skill: str) -> bool:
        """Whether the skill may be called."""
        return skill not in self.forbidden and ("*" not in self.forbidden or skill in self.permitted)


class Held(NamedTuple):
    """By what one knows terms again, but for money, which moves all the time: digests of catalog and rules' text (None:
    those that ship), and permissions as they are stored."""

    catalog: str | None = None
    rules: str | None = None
    permissions: tuple[tuple[str, str, bool], ...] = ()


class Terms(NamedTuple):
    """What holds for an agent of a tenant.

    `catalog` is a document that is laid over the shipped one, as text; None: nothing is. `budget` is the tighter one of
    the tenant's and the agent's. `permissions` are those of both: each has to allow a skill. `rules` are those of the
    tenant's active policy; None: the policy that ships. `held` says whether they still are what holds (`check_held`).
    """

    tenant: str
    catalog: bytes | None = None
    budget: Budget = Budget()
    permissions: tuple[Permissions, ...] = ()
    agent: str = ""
    rules: Rules | None = None
    held: Held = Held()

    def allows(self, skill: str) -> bool:
        """Whether the skill may be called."""
        return all(one.allows(skill) for one in self.permissions)


class Tenants(Protocol):
    """Where it is written what holds for whom."""

    async def terms(self, tenant: str, agent: str | None, *, now: bool = False) -> Terms:
        """What holds for an agent of a tenant: `now`, or a second ago.

        Raises AosError(unavailable) where it can't be read.
        """


class Free:
    """Nothing is set for anybody: the shipped catalog, no budget, every skill."""

    async def terms(self, tenant: str, agent: str | None, *, now: bool = False) -> Terms:
        """The same for all."""
        return Terms(tenant, agent=agent or "")


class Stored:
    """What the database says. Reads are kept for a second, catalogs and rules by their digest while there is room."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._terms = OrderedDict[tuple[str, str], tuple[float, Terms]]()
        self._catalogs = OrderedDict[str, bytes]()
        self._rules = OrderedDict[str, Rules]()

    async def terms(self, tenant: str, agent: str | None, *, now: bool = False) -> Terms:
        """See `Tenants`."""
        key = (tenant, agent or "")
        kept = self._terms.get(key)
        if kept and not now and time.monotonic() - kept[0] < _FRESH_S:
            return kept[1]
        asked = time.monotonic()
        found = await self._read(*key)
        _keep(self._terms, key, (asked, found), _KEPT)
        return found

    async def _read(self, tenant: str, agent: str) -> Terms:
        ((row,),) = await self._database.read(("tenants.terms", {"agent": agent}), tenant=tenant)
        digest = row["digest"]
        if digest is not None and digest not in self._catalogs:
            (stored,) = await self._database.read(("tenants.catalog", {}), tenant=tenant)
            digest = stored[0]["digest"] if stored else None
            if stored:
                document = stored[0]["document"].encode()
                with suppress(InputError):  # whoever needs it is told
                    await asyncio.to_thread(catalog_of, document)  # a large one takes a third of a second
                _keep(self._catalogs, digest, document, 64)
        catalog = None if digest is None else self._catalogs[digest]
        rules = await self._active(tenant, row["rules"])
        permissions = _permissions(row["permissions"])
        return Terms(tenant, catalog, _tighter(row["budgets"]), permissions, agent, rules, _held(row))

    async def _active(self, tenant: str, digest: str | None) -> Rules | None:
        """The rules that have this text. Another tenant with the same text has the same rules."""
        if digest is None:
            return None
        if digest not in self._rules:
            asked = ("policies.text", {"files_digest": digest})
            ((row,),) = await self._database.read(asked, tenant=tenant)  # a version never goes
            _keep(self._rules, digest, Rules(row["policy_digest"], sources(row["files"])), 64)
        return self._rules[digest]


class Superseded(Exception):
    """Other terms hold by now than those by which something was judged."""


def held(terms: Terms) -> list[Statement]:
    """What a transaction reads first that must not commit what other terms would not: then they stay as they are."""
    return [("policies.hold", {}), ("tenants.terms", {"agent": terms.agent})]


def check_held(rows: Sequence[Sequence[Row]], terms: Terms) -> None:
    """Raise Superseded unless these, which `held` found, are the terms."""
    if _held(rows[1][0]) != terms.held:
        raise Superseded


async def while_held(act: Callable[[], Awaitable[T]]) -> T:
    """Do it, and where its terms were superseded meanwhile, from the beginning. Raises AosError(not_computed)."""
    for _ in range(_TRIES):
        with suppress(Superseded):
            return await act()
    detail = f"the terms that it rests on changed {_TRIES} times while it was judged"
    raise AosError("not_computed", detail, retry_after_s=1)


def _held(row: Row) -> Held:
    return Held(row["digest"], row["rules"], tuple(sorted(map(tuple, row["permissions"]))))


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def _tighter(rows: Iterable[Sequence[Any]]) -> Budget:
    """The budget that leaves less; one of which nobody knows what it leaves is the tightest."""
    budgets = [
        Budget(None if total is None else Decimal(total), Decimal(spent), n) for total, spent, n in rows
    ]
    limited = [budget for budget in budgets if budget.total_cents is not None]
    if limited:
        return min(
            limited,
            key=lambda budget: Decimal(-1) if budget.unpriced else budget.remaining_cents or Decimal(0),
        )
    return max(budgets, key=lambda budget: budget.spent_cents, default=Budget())


def _permissions(rows: Iterable[Sequence[Any]]) -> tuple[Permissions, ...]:
    by_agent: dict[str, tuple[set[str], set[str]]] = {}
    for agent, skill, allowed in rows:
        by_agent.setdefault(agent, (set(), set()))[bool(allowed)].add(skill)
    return tuple(Permissions(frozenset(no), frozenset(yes)) for no, yes in by_agent.values())


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
