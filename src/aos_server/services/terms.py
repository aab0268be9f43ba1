"""Set what holds for a tenant or one of its agents: budget, permissions, catalog. All at once is one change."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from aos.errors import AosError
from aos.wire.problems import visible
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, change
from aos_server.services.tenants import catalog_of

__all__ = ["NewTerms", "set_terms"]

_NAME = re.compile(r"[A-Za-z0-9._:@-]{1,64}|\*")


class NewTerms(NamedTuple):
    """What is to hold from now on; what is None or empty stays as it is. `agent` "" is the tenant as a whole.

    `permissions` are skills with whether they are allowed; "*" is every skill that is not named. A catalog is the
    tenant's, whatever the agent.
    """

    agent: str = ""
    budget_cents: Decimal | None = None
    permissions: Mapping[str, bool] = {}
    catalog: bytes | None = None


async def set_terms(database: Database, caller: Caller, new: NewTerms) -> None:
    """Set them for the caller's tenant, which exists from then on.

    Raises AosError(bad_value) for names that can't be, InputError(invalid_catalog).
    """
    for name in (caller.tenant, *filter(None, [new.agent]), *new.permissions):
        if not _NAME.fullmatch(name):
            raise AosError("bad_value", f'"{visible(name)}" is no name: 1 to 64 letters, digits and ._:@-')
    catalog_of(new.catalog)
    statements = list(_statements(new))

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        details = {
            "budget_cents": None if new.budget_cents is None else str(new.budget_cents),
            "permissions": dict(new.permissions),
            "catalog": None if new.catalog is None else _digest(new.catalog),
        }
        return Effect(statements, Entry("terms.set", new.agent, details), 200, {})

    await change(database, caller, [("policies.lock", {}), ("tenants.ensure", {})], decide)


def _statements(new: NewTerms) -> Sequence[Statement]:
    found: list[Statement] = []
    if new.budget_cents is not None:
        found.append(("tenants.set_budget", {"agent": new.agent, "cents": new.budget_cents}))
    for skill, allowed in new.permissions.items():
        found.append(("tenants.permit", {"agent": new.agent, "skill": skill, "allowed": allowed}))
    if new.catalog is not None:
        document = {"document": new.catalog.decode(), "digest": _digest(new.catalog)}
        found.append(("tenants.set_catalog", document))
    return found


def _digest(document: bytes) -> str:
    return "sha256:" + hashlib.sha256(document).hexdigest()
