"""config.toml of the user: servers by name, and which of them is meant where none is named. It holds no secret."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aos.errors import AosError
from aos.files.outputs import write_file
from aos.files.sources import read_document
from aos.wire.shape import Reader, at

__all__ = [
    "DEFAULT_CLIENT",
    "Context",
    "Contexts",
    "check_name",
    "contexts_file",
    "read_contexts",
    "write_contexts",
]

DEFAULT_CLIENT = "aos-cli"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Context(NamedTuple):
    """A server and how to log in there. `audience` is whom a token is for, `issuer` who gives it (None: nobody)."""

    name: str
    server: str
    issuer: str | None = None
    client_id: str = DEFAULT_CLIENT
    audience: str | None = None


class Contexts(NamedTuple):
    """All of them. `current` is meant where none is named."""

    current: str | None = None
    by_name: Mapping[str, Context] = {}


def contexts_file() -> Path:
    """Where it is: in the user's configuration folder of this system."""
    from platformdirs import user_config_path

    return user_config_path("aos", appauthor=False) / "config.toml"


def check_name(name: str) -> str:
    """The name, if a context may be called so. Raises AosError(usage)."""
    if not _NAME.fullmatch(name):
        raise AosError("usage", "a context is named by letters, digits, `.`, `_` and `-`, at most 64")
    return name


def read_contexts() -> Contexts:
    """Read it; without a file there are none. Raises InputError(invalid_config)."""
    path = contexts_file()
    if not path.exists():
        return Contexts()
    document = read_document(str(path), code="invalid_config")
    reader = Reader()
    fields = reader.obj(document.value, "", known=("current", "contexts"))
    current = reader.text(fields["current"], "/current", None)
    listed = reader.obj(fields["contexts"], "/contexts")
    by_name = {name: _context(reader, name, value) for name, value in listed.items()}
    reader.raise_if_any("invalid_config", str(path))
    return Contexts(current, by_name)


def write_contexts(contexts: Contexts) -> None:
    """Write it. Raises AosError(write_failed)."""
    import tomli_w

    tables = {
        name: {key: value for key, value in context._asdict().items() if key != "name" and value is not None}
        for name, context in contexts.by_name.items()
    }
    head = {} if contexts.current is None else {"current": contexts.current}
    path = contexts_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AosError("write_failed", f"{path.parent}: {error.strerror}") from None
    write_file(path, tomli_w.dumps({**head, "contexts": tables}), replace=True)


def _context(reader: Reader, name: str, value: Any) -> Context:
    pointer = at("/contexts", name)
    if not _NAME.fullmatch(name):
        reader.add(pointer, "bad_value", "a context can't be called so")
    fields = reader.obj(
        value, pointer, known=("server", "issuer", "client_id", "audience"), required=("server",)
    )
    return Context(
        name,
        reader.text(fields["server"], at(pointer, "server"), ""),
        reader.text(fields["issuer"], at(pointer, "issuer"), None),
        reader.text(fields["client_id"], at(pointer, "client_id"), DEFAULT_CLIENT),
        reader.text(fields["audience"], at(pointer, "audience"), None),
    )
