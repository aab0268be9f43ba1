"""Vault: sealed, forbidden, a role, a deleted version."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from aos.errors import AosError
from aos_server.keystores.changes import carry_out, rotate
from aos_server.keystores.keyring import Keyring
from tests.server.keystores.places import ROOT_TOKEN, Place, Vault, vault_server

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PATH = "aos/webhook-keys"


@pytest.fixture
def own_vault() -> Iterator[Vault]:
    """One that may be sealed."""
    with vault_server() as server:
        yield server


def begun(place: Place) -> Place:
    backend = place.open()
    carry_out(backend, rotate(backend, NOW, DAY))
    return place


def error(call, *arguments) -> AosError:
    with pytest.raises(AosError) as failed:
        call(*arguments)
    assert ROOT_TOKEN not in str(failed.value)
    return failed.value


def test_a_server_signs_on_while_vault_is_sealed_and_refuses_to_rotate(own_vault: Vault):
    place = begun(own_vault.place())
    ring = Keyring(place.open(), NOW)
    secrets = ring.secrets("ep_1", NOW)
    own_vault.call("PUT", "sys/seal")
    ring.refresh(NOW)
    assert (ring.trouble and ring.trouble.code) == "keystore_unavailable"
    assert error(ring.rotate, NOW, DAY).code == "keystore_unavailable"
    assert ring.secrets("ep_1", NOW) == secrets
    assert error(Keyring, place.open(), NOW).code == "keystore_unavailable"
    done = place.run("rotate", "--dry-run")
    assert (done.returncode, "is sealed" in done.stderr) == (6, True)


def test_a_token_that_may_not_is_refused_and_changes_nothing(vault: Vault):
    place = begun(vault.place())
    mount = place.environment["AOS_VAULT_MOUNT"]
    vault.call(
        "PUT", "sys/policies/acl/reader", policy=f'path "{mount}/*" {{capabilities = ["read", "list"]}}'
    )
    token = vault.call("POST", "auth/token/create", policies=["reader"]).json()["auth"]["client_token"]
    reader = place.open(VAULT_TOKEN=token)
    assert len(Keyring(reader, NOW).secrets("ep_1", NOW)) == 1
    before = place.open().record()
    assert error(carry_out, reader, rotate(reader, NOW, DAY)).code == "keystore_forbidden"
    assert error(Keyring, place.open(VAULT_TOKEN="no-such-token"), NOW).code == "keystore_forbidden"
    assert (place.open().record(), place.open().names()) == (before, ["v1"])


def test_a_role_signs_in(vault: Vault):
    place = begun(vault.place())
    mount = place.environment["AOS_VAULT_MOUNT"]
    every = '"create", "read", "update", "delete", "list"'
    vault.call("PUT", "sys/policies/acl/keeper", policy=f'path "{mount}/*" {{capabilities = [{every}]}}')
    if "approle/" not in vault.call("GET", "sys/auth").json()["data"]:
        vault.call("POST", "sys/auth/approle", type="approle")
    vault.call("POST", "auth/approle/role/keeper", token_policies=["keeper"])
    role = vault.call("GET", "auth/approle/role/keeper/role-id").json()["data"]["role_id"]
    secret = vault.call("POST", "auth/approle/role/keeper/secret-id").json()["data"]["secret_id"]
    keeper = place.open(VAULT_TOKEN="", AOS_VAULT_ROLE_ID=role, AOS_VAULT_SECRET_ID=secret)
    carry_out(keeper, rotate(keeper, NOW, DAY))
    assert sorted(keeper.names()) == ["v1", "v2"]
    stranger = place.open(VAULT_TOKEN="", AOS_VAULT_ROLE_ID=role, AOS_VAULT_SECRET_ID="wrong")
    assert error(stranger.record).code == "keystore_forbidden"


def test_what_was_deleted_in_vault_is_damage_and_brings_no_old_key_back(vault: Vault):
    place = begun(vault.place())
    mount = place.environment["AOS_VAULT_MOUNT"]
    vault.call("DELETE", f"{mount}/data/{PATH}/v1")
    assert error(Keyring, place.open(), NOW).code == "keys_damaged"
    vault.call("DELETE", f"{mount}/data/{PATH}/keys.json")
    assert error(rotate, place.open(), NOW, DAY).code == "keys_damaged"


def test_a_secret_of_another_form_is_damage(vault: Vault):
    place = vault.place()
    vault.call("POST", f"{place.environment['AOS_VAULT_MOUNT']}/data/{PATH}/v1", data={"value": 7})
    assert error(Keyring, place.open(), NOW).code == "keys_damaged"


def test_a_vault_that_does_not_answer_is_unavailable():
    place = Place(
        "vault", {"AOS_WEBHOOK_KEYS": "vault", "VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "x"}
    )
    assert error(place.open().record).code == "keystore_unavailable"
