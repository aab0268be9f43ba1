"""Service keys: found across tenants by their text alone, revoked for good, and never readable where they are kept."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller, Principal
from aos_server.identity.service_keys import NewKey, caller_of
from aos_server.services.service_keys import StoredKeys
from tests.services.identity.host import host

T = TypeVar("T")
ANN = Caller(Principal("https://login.example", "ann"), "acme", "human", level=4)
EVE = Caller(Principal("https://login.example", "eve"), "evil", "human", level=5)


def run(base, act: Callable[[StoredKeys], Awaitable[T]]) -> T:
    async def main() -> T:
        async with Database.open(base.pooled("aos_app"), 2) as database:
            return await act(StoredKeys(database))

    return asyncio.run(main())


def refused(base, act: Callable[[StoredKeys], Awaitable[object]]) -> str:
    with pytest.raises(AosError) as caught:
        run(base, act)
    return caught.value.code


def secret_of(text: str) -> str:
    """What follows the id; it may hold underscores of its own."""
    return text.split("_", 2)[2]


@pytest.fixture
def key(base) -> NewKey:
    return run(base, lambda keys: keys.create(ANN, "ci", frozenset({"read", "decide"}), per_minute=7))


def test_a_key_is_its_owners_and_never_decides(base, key):
    caller = run(base, lambda keys: caller_of(key.text, keys, 0))
    assert (caller.tenant, caller.kind, caller.owner, caller.per_minute) == (
        "acme",
        "machine",
        ANN.principal,
        7,
    )
    assert caller.scopes == {"read"}
    assert base.rows("SELECT action, subject FROM audit") == [("service_key.created", "ann")]


def test_what_is_kept_does_not_hold_the_key(base, key):
    tables = ("service_keys", "audit", "outbox", "idempotency_keys")
    kept = " ".join(str(base.rows(f"SELECT t::text FROM {table} t")) for table in tables)
    assert secret_of(key.text) not in kept
    assert "sha256" not in str(run(base, lambda keys: keys.list("acme")))


def test_a_revoked_or_expired_key_is_not_valid(base, key):
    old = run(base, lambda keys: keys.create(ANN, "old", frozenset({"read"}), expires_at_s=100))
    assert refused(base, lambda keys: caller_of(old.text, keys, 100)) == "unauthenticated"
    run(base, lambda keys: keys.revoke(ANN, key.key.id))
    assert refused(base, lambda keys: caller_of(key.text, keys, 0)) == "unauthenticated"
    assert refused(base, lambda keys: keys.revoke(ANN, key.key.id)) == "not_found"


def test_another_tenants_key_is_not_found(base, key):
    assert refused(base, lambda keys: keys.revoke(EVE, key.key.id)) == "not_found"
    assert run(base, lambda keys: keys.list("evil")) == []
    assert run(base, lambda keys: caller_of(key.text, keys, 0)).tenant == "acme"


def test_a_key_makes_no_keys(base, key):
    machine = run(base, lambda keys: caller_of(key.text, keys, 0))
    assert refused(base, lambda keys: keys.create(machine, "x", frozenset())) == "authorization_denied"


def test_from_the_host_keys_are_made_listed_and_revoked(base):
    words = ("--scope", "read", "--scope", "create", "--name", "ci", "--days", "30", "--per-minute", "7")
    status, made = host(base, "key", "create", "acme", *words)
    assert (status, made["scopes"], made["per_minute"]) == (0, ["create", "read"], 7)
    caller = run(base, lambda keys: caller_of(made["key"], keys, 0))
    assert (caller.tenant, sorted(caller.scopes), caller.per_minute) == ("acme", ["create", "read"], 7)
    assert caller.owner is not None
    assert caller.owner.issuer == "urn:aos:host"
    (listed,) = host(base, "key", "list", "acme")[1]["keys"]
    assert (listed["id"], listed["name"], listed["status"]) == (made["id"], "ci", "valid")
    assert secret_of(made["key"]) not in str(listed)
    assert host(base, "key", "list", "evil")[1]["keys"] == []
    assert host(base, "key", "revoke", "evil", made["id"])[1]["code"] == "not_found"
    assert host(base, "key", "revoke", "acme", made["id"])[0] == 0
    assert host(base, "key", "revoke", "acme", made["id"])[1]["code"] == "not_found"
    assert host(base, "key", "list", "acme")[1]["keys"][0]["status"] == "revoked"
    assert refused(base, lambda keys: caller_of(made["key"], keys, 0)) == "unauthenticated"
    actions = base.rows("SELECT action, issuer, object FROM audit ORDER BY at")
    assert actions == [(f"service_key.{done}", "urn:aos:host", made["id"]) for done in ("created", "revoked")]


def test_what_no_key_can_be_is_refused(base):
    read = ("--scope", "read")
    for words in (("acme",), ("acme", "--scope", "decide"), ("a b", *read), ("acme", *read, "--days", "0"),
                  ("acme", *read, "--name", "x" * 65)):  # fmt: skip
        status, document = host(base, "key", "create", *words)
        assert (status, document["schema"]) == (2, "aos.problem/1"), words
    assert base.rows("SELECT 1 FROM service_keys") == []
