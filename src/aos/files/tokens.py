"""Tokens of the user, by context: in the system's keyring, or in a file that nobody else can read where there is none.

`AOS_KEYRING=off` always takes the file. The keyring is loaded only when a token is needed.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from aos.errors import AosError
from aos.wire.problems import visible
from aos.wire.shape import Reader, or_missing
from aos.wire.strict import parse

__all__ = ["Kept", "Place", "forget_token", "keep_token", "kept_token"]

Place: TypeAlias = Literal["keyring", "file"]
_SERVICE = "aos"
_MAX_BYTES = 64 * 1024


class Kept(NamedTuple):
    """A login. `expires_at_s` is Unix time (None: not said)."""

    access: str
    refresh: str | None = None
    expires_at_s: float | None = None


def keep_token(name: str, token: Kept) -> Place:
    """Keep it for the context of that name. Raises AosError(write_failed)."""
    text = json.dumps(token._asdict())
    if (keyring := _keyring()) is not None:
        with suppress(Exception):  # locked, too large, gone: whatever it is, the file remains
            keyring.set_password(_SERVICE, name, text)
            _file(name).unlink(missing_ok=True)
            return "keyring"
    _write(_file(name), text)
    return "file"


def kept_token(name: str) -> Kept | None:
    """The login of a context. Raises AosError(unreadable) for a file that others can read, or that is damaged."""
    text: str | None = None
    if (keyring := _keyring()) is not None:
        with suppress(Exception):
            text = keyring.get_password(_SERVICE, name)
    if text is None:
        text = _read(_file(name))
    return None if text is None else _parsed(text)


def forget_token(name: str) -> None:
    """Forget it, wherever it is."""
    if (keyring := _keyring()) is not None:
        with suppress(Exception):
            keyring.delete_password(_SERVICE, name)
    _file(name).unlink(missing_ok=True)


def _keyring() -> Any:
    """The system's keyring, or None where it has none that is usable."""
    if os.environ.get("AOS_KEYRING") == "off":
        return None
    try:
        import keyring

        return keyring if keyring.get_keyring().priority > 0 else None
    except Exception:  # a backend that can't start says so in its own way
        return None


def _file(name: str) -> Path:
    from platformdirs import user_state_path

    return user_state_path("aos", appauthor=False) / "tokens" / f"{name}.json"


def _write(path: Path, text: str) -> None:
    """0600 in a folder of 0700 from the first byte, and whole or not at all."""
    draft = path.with_name(f".{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        try:
            number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(number, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise AosError("write_failed", f"{_shown(path)}: {error.strerror}") from None


def _read(path: Path) -> str | None:
    try:
        with path.open() as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                raise AosError(
                    "unreadable", f"{_shown(path)}: others can read it", fix="Log in again: `aos login`."
                )
            return file.read(_MAX_BYTES)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AosError("unreadable", f"{_shown(path)}: {error}") from None


def _parsed(text: str) -> Kept:
    reader = Reader()
    document = parse(
        text.encode("utf-8", "replace"),
        "json",
        name="the kept token",
        max_bytes=_MAX_BYTES,
        code="unreadable",
    )
    fields = reader.obj(document, "", required=("access",))
    kept = Kept(
        reader.text(fields["access"], "/access", ""),
        reader.text(or_missing(fields["refresh"]), "/refresh", None),
        reader.number(or_missing(fields["expires_at_s"]), "/expires_at_s", None),
    )
    reader.raise_if_any("unreadable", "the kept token")
    return kept


def _shown(path: Path) -> str:
    return visible(str(path), 200)
