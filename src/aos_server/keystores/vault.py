"""Keys in Vault, or OpenBao: a secret each in a KV engine of version 2, written by check-and-set.

The token or role needs `create`, `read`, `update` on `MOUNT/data/aos/webhook-keys/*`, and `list`, `read`, `delete` on
`MOUNT/metadata/aos/webhook-keys/*`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import hvac
from hvac import exceptions
from requests import RequestException

from aos.errors import AosError
from aos_server.keystores.backend import RECORD, Record, check_size
from aos_server.keystores.keyset import is_version
from aos_server.settings import Keys

__all__ = ["VaultBackend"]

_FOLDER = "aos/webhook-keys"
_TIMEOUT_S = 5
_REFUSED = (exceptions.Forbidden, exceptions.Unauthorized)
_TROUBLE: dict[type[Exception], str] = {
    exceptions.VaultDown: "is sealed",
    exceptions.VaultNotInitialized: "is not initialised",
    exceptions.RateLimitExceeded: "asks to slow down",
}


class VaultBackend:
    """Signs in when it is first asked. Each secret has one field, `value`."""

    kind = "vault"

    def __init__(self, settings: Keys) -> None:
        self._settings = settings
        self.first = settings.first

    def where(self, name: str) -> str:
        return f"{self._settings.vault_mount}/{_FOLDER}/{name}"

    def new_places(self) -> list[str]:
        return []

    def record(self) -> Record:
        found = self._read(RECORD)
        return Record(None, "0") if found is None else Record(found[0].encode(), str(found[1]))

    def names(self) -> list[str]:
        with self._asking(), suppress(exceptions.InvalidPath):
            found = self._kv.list_secrets(_FOLDER, mount_point=self._settings.vault_mount)
            return [name for name in found["data"]["keys"] if is_version(name)]
        return []

    def key(self, name: str) -> bytes:
        found = self._read(name)
        if found is None:
            raise AosError("key_not_found", f"{self.where(name)} does not exist")
        return check_size(found[0].encode(), self.where(name))

    def add(self, name: str, key: bytes) -> None:
        self._write(name, key.decode(), 0)

    def swap(self, text: bytes, stamp: str) -> None:
        self._write(RECORD, text.decode(), int(stamp))

    def remove(self, name: str) -> None:
        with self._asking(), suppress(exceptions.InvalidPath):
            self._kv.delete_metadata_and_all_versions(
                f"{_FOLDER}/{name}", mount_point=self._settings.vault_mount
            )

    def _read(self, name: str) -> tuple[str, int] | None:
        """The value and its version in Vault. One that was deleted is no absent one: that would bring old keys back."""
        path, mount = f"{_FOLDER}/{name}", self._settings.vault_mount
        with self._asking():
            try:
                found = self._kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
            except exceptions.InvalidPath as error:
                if isinstance(error.json, dict) and error.json.get("data"):
                    raise AosError("keys_damaged", f"{self.where(name)} was deleted in Vault") from None
                return None
        value = found["data"]["data"].get("value")
        if not isinstance(value, str):
            raise AosError("keys_damaged", f"{self.where(name)} has no text in its field `value`")
        return value, found["data"]["metadata"]["version"]

    def _write(self, name: str, value: str, version: int) -> None:
        path, mount = f"{_FOLDER}/{name}", self._settings.vault_mount
        with self._asking():
            try:
                self._kv.create_or_update_secret(path, {"value": value}, cas=version, mount_point=mount)
            except exceptions.InvalidRequest:
                raise AosError(
                    "keys_conflict", f"{self.where(name)} was changed by somebody else meanwhile"
                ) from None

    @cached_property
    def _kv(self) -> Any:
        settings = self._settings
        client = hvac.Client(settings.vault_url, settings.vault_token or None, timeout=_TIMEOUT_S)
        if settings.vault_role:
            client.auth.approle.login(settings.vault_role, settings.vault_role_secret)
        return client.secrets.kv.v2

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What Vault or the network say, in our words; theirs may show what was sent."""
        try:
            yield
        except _REFUSED:
            self.__dict__.pop("_kv", None)  # a role signs in again next time
            raise AosError("keystore_forbidden", f"Vault does not allow it: {self.where('')}") from None
        except exceptions.InvalidPath:
            raise
        except exceptions.InvalidRequest:
            raise AosError("keystore_forbidden", "Vault does not know this role or its secret") from None
        except (exceptions.VaultError, RequestException) as error:
            why = _TROUBLE.get(type(error), "does not answer as it should")
            raise AosError("keystore_unavailable", f"Vault at {self._settings.vault_url} {why}") from None
