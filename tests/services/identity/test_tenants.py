"""`aos-server tenant` sets what the server then goes by."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from aos_server.db.pool import Database
from aos_server.services.tenants import Stored, Terms
from tests.services.identity.host import host


def tenant(base, *words: str) -> tuple[int, dict[str, Any]]:
    return host(base, "tenant", *words)


def terms(base, agent: str | None) -> Terms:
    async def main() -> Terms:
        async with Database.open(base.pooled("aos_app"), 1) as database:
            return await Stored(database).terms("acme", agent)

    return asyncio.run(main())


def test_what_is_set_holds_and_is_in_the_audit_log(base, tmp_path: Path):
    catalog = tmp_path / "catalog.json"
    catalog.write_text('{"aos_catalog": "1", "skills": {}}')
    assert (
        tenant(base, "acme", "--budget", "100.5", "--forbid", "email_send", "--catalog", str(catalog))[0] == 0
    )
    assert tenant(base, "acme", "--agent", "a1", "--budget", "7", "--allow", "email_send")[0] == 0
    assert terms(base, None).budget.total_cents == Decimal("100.5")
    assert terms(base, None).catalog == catalog.read_bytes()
    assert not terms(base, None).allows("email_send")
    assert terms(base, "a1").budget.total_cents == Decimal(7)
    logged = base.rows("SELECT action, issuer, object FROM audit ORDER BY object")
    assert logged == [("terms.set", "urn:aos:host", ""), ("terms.set", "urn:aos:host", "a1")]


def test_what_can_not_be_is_refused_and_changes_nothing(base, tmp_path: Path):
    broken = tmp_path / "catalog.json"
    broken.write_text('{"skills": 1}')
    for words in (("a b",), ("acme", "--budget", "-1"), ("acme", "--budget", "nan"), ("acme", "--forbid", "a b"),
                  ("acme", "--catalog", str(broken)), ("acme", "--catalog", "/nowhere")):  # fmt: skip
        status, document = tenant(base, *words)
        assert (status, document["schema"]) == (2, "aos.problem/1"), words
    assert base.rows("SELECT 1 FROM tenants") == []
