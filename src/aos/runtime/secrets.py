"""Secrets by name: from the environment, a file that only its owner can read, or the keyring."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aos.errors import AosError, Finding, InputError
from aos.runtime.masking import MIN_SECRET, Masker
from aos.wire.strict import parse

__all__ = ["PREFIX", "Secrets", "from_keyring", "variable"]

PREFIX = "AOS_SECRET_"
"""`${secrets.slack-token}` is AOS_SECRET_SLACK_TOKEN in the environment: no plan can name any other variable."""

_MAX_BYTES = 64 * 1024
_SERVICE = "aos"


class Secrets:
    """Looks secrets up, and masks those that it has given out.

    In this order: `environment`, the TOML file of `NAME = "value"` lines, the `keyring` (a name to a secret or None).
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        file: Path | None = None,
        keyring: Callable[[str], str | None] | None = None,
    ) -> None:
        self._environment = environment or {}
        self._file = file
        self._in_file: Mapping[str, str] | None = None
        self._keyring = keyring
        self._given: dict[str, str] = {}
        self._masker = Masker({})

    def get(self, name: str) -> str | None:
        """The secret of that name, None where there is none.

        Raises AosError: unreadable, or InputError(invalid_config) for a file that others can read or that is broken.
        """
        if name in self._given:
            return self._given[name]
        found = self._environment.get(variable(name))
        if found is None and self._file:
            if self._in_file is None:
                self._in_file = _read(self._file)
            found = self._in_file.get(name)
        if found is None and self._keyring:
            found = self._keyring(name)
        if found is None or len(found) < MIN_SECRET:
            return None
        self.remember(name, found)
        return found

    def remember(self, name: str, secret: str) -> None:
        """Mask this one too: it came another way, within a URL of the configuration for instance."""
        if len(secret) >= MIN_SECRET:
            self._given[name] = secret
            self._masker = Masker(self._given)

    @property
    def masker(self) -> Masker:
        """Masks every secret given out so far."""
        return self._masker


def variable(name: str) -> str:
    """The variable of the environment in which the secret of that name is looked for."""
    return PREFIX + re.sub("[^A-Z0-9]", "_", name.upper())


def from_keyring(name: str) -> str | None:
    """The system's keyring, service "aos"; None where it has none of that name, or where there is no keyring."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(_SERVICE, name)
    except KeyringError:
        return None


def _read(path: Path) -> Mapping[str, str]:
    try:
        with open(path, "rb", opener=_without_waiting) as stream:
            found = os.fstat(stream.fileno())
            data = stream.read(_MAX_BYTES + 1) if stat.S_ISREG(found.st_mode) else None
    except OSError as error:
        raise AosError("unreadable", f"{path}: {error.strerror}") from None
    if data is None:
        raise AosError("unreadable", f"{path}: not a regular file")
    if os.name == "posix" and (found.st_mode & 0o077 or found.st_uid not in (0, os.geteuid())):
        detail = f"mode {found.st_mode & 0o777:04o}: others may read or change it"
        finding = Finding("", "bad_value", detail)
        raise InputError.of("invalid_config", str(path), [finding], fix=f"chmod 600 {path}")
    value: Any = parse(data, "toml", name=str(path), max_bytes=_MAX_BYTES, code="invalid_config")
    wrong = [
        Finding(f"/{name}", "wrong_type", "expected text")
        for name in value
        if not isinstance(value[name], str)
    ]
    if wrong:
        raise InputError.of("invalid_config", str(path), wrong)
    return dict(value)


def _without_waiting(path: str, flags: int) -> int:
    """A FIFO would wait for somebody to write into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
