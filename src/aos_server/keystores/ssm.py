"""Keys in AWS Systems Manager: a SecureString each, under a name of its own; the record is a String.

SSM knows no check-and-set. Of two rotations at once one fails, as both would write the same name; of a rotation and a
retirement at the same instant the later one notices, by the parameter's version, and says so.

The role needs `ssm:GetParameter`, `GetParametersByPath`, `PutParameter` and `DeleteParameter` on
`parameter/aos/webhook-keys/*`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from aos.errors import AosError
from aos_server.keystores.backend import RECORD, Record, check_size
from aos_server.keystores.keyset import is_version
from aos_server.settings import Keys

__all__ = ["SsmBackend"]

_FOLDER = "/aos/webhook-keys"
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=2,
)
_REFUSED = ("AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException", "InvalidKeyId")


class SsmBackend:
    """Credentials are found as AWS' own programs find them."""

    kind = "ssm"

    def __init__(self, settings: Keys) -> None:
        self._region = settings.region
        self.first = settings.first

    def where(self, name: str) -> str:
        return f"{_FOLDER}/{name}"

    def new_places(self) -> list[str]:
        return []

    def record(self) -> Record:
        found = self._read(RECORD)
        return Record(None, "0") if found is None else Record(found[0].encode(), str(found[1]))

    def names(self) -> list[str]:
        with self._asking():
            pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=_FOLDER)
            found = [one["Name"].removeprefix(f"{_FOLDER}/") for page in pages for one in page["Parameters"]]
        return [name for name in found if is_version(name)]

    def key(self, name: str) -> bytes:
        found = self._read(name)
        if found is None:
            raise AosError("key_not_found", f"{self.where(name)} does not exist")
        value, _, kind = found
        if kind != "SecureString":
            raise AosError("key_unsafe", f"{self.where(name)} is no SecureString: it is kept in clear text")
        return check_size(value.encode(), self.where(name))

    def add(self, name: str, key: bytes) -> None:
        self._write(name, key.decode(), "SecureString", overwrite=False)

    def swap(self, text: bytes, stamp: str) -> None:
        conflict = AosError("keys_conflict", f"{self.where(RECORD)} was changed by somebody else meanwhile")
        if self.record().stamp != stamp:
            raise conflict
        version = self._write(RECORD, text.decode(), "String", overwrite=stamp != "0")
        if version != int(stamp) + 1:
            raise conflict

    def remove(self, name: str) -> None:
        with self._asking():
            try:
                self._client.delete_parameter(Name=self.where(name))
            except ClientError as error:
                if _code(error) != "ParameterNotFound":
                    raise

    def _read(self, name: str) -> tuple[str, int, str] | None:
        """Value, version and type; None where there is none."""
        with self._asking():
            try:
                found = self._client.get_parameter(Name=self.where(name), WithDecryption=True)["Parameter"]
            except ClientError as error:
                if _code(error) != "ParameterNotFound":
                    raise
                return None
        return found["Value"], found["Version"], found["Type"]

    def _write(self, name: str, value: str, kind: str, *, overwrite: bool) -> int:
        with self._asking():
            try:
                answer = self._client.put_parameter(
                    Name=self.where(name), Value=value, Type=kind, Overwrite=overwrite
                )
            except ClientError as error:
                if _code(error) != "ParameterAlreadyExists":
                    raise
                raise AosError("keys_conflict", f"{self.where(name)} exists already") from None
        return int(answer["Version"])

    @cached_property
    def _client(self) -> Any:
        return boto3.client("ssm", region_name=self._region, config=_CONFIG)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What AWS or the network say, in our words; theirs may show what was sent."""
        try:
            yield
        except NoCredentialsError:
            raise AosError("keystore_forbidden", "there are no credentials for AWS") from None
        except ClientError as error:
            refused = _code(error) in _REFUSED
            code = "keystore_forbidden" if refused else "keystore_unavailable"
            raise AosError(code, f"SSM in {self._region} answered {_code(error)}") from None
        except BotoCoreError:
            raise AosError("keystore_unavailable", f"SSM in {self._region} does not answer") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
