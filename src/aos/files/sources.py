"""Reading a document from a path, standard input or the command line itself."""

import sys
from pathlib import Path
from typing import BinaryIO, NamedTuple

from aos.errors import AosError
from aos.wire.problems import visible
from aos.wire.strict import MAX_BYTES, MAX_NODES, Form, Json, parse

_FORMS: dict[str, Form] = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


class Document(NamedTuple):
    """A document as it was read, and what people call it."""

    name: str
    value: Json


def stdin() -> BinaryIO:
    """Standard input, as bytes. Raises AosError(unreadable) where whoever started this process has closed it."""
    if sys.stdin is None:
        raise AosError(
            "unreadable", "<stdin>: it is closed", fix="Give it something to read, or name a file."
        )
    return sys.stdin.buffer


def unreadable(source: str, error: Exception) -> AosError:
    """What an input that can't be opened or read is to whoever named it."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return AosError("unreadable", f"{visible(source, 200)}: {why}")


def read_document(
    source: str, *, code: str, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES
) -> Document:
    """Read JSON, YAML or TOML, by the file's ending.

    `source` is a path, `-` for standard input, or the JSON itself (it starts with `[` or `{`). Standard
    input and files of any other ending are JSON if they start like it, else YAML. Raises InputError(code)
    for what stands in it, AosError(unreadable) where it can't be read at all.
    """
    if source.lstrip()[:1] in ("[", "{"):
        return _parsed("<inline>", _encoded(source), "json", code, max_bytes, max_nodes)
    if source == "-":
        data = stdin().read(max_bytes + 1)
        return _parsed("<stdin>", data, _guess(data), code, max_bytes, max_nodes)
    data = _read(source, max_bytes)
    form = _FORMS.get(Path(source).suffix.lower()) or _guess(data)
    return _parsed(source, data, form, code, max_bytes, max_nodes)


def _read(source: str, max_bytes: int) -> bytes:
    """At most one byte more than the limit, so that a huge file is refused without being loaded."""
    if not source:
        raise AosError("unreadable", "the path is empty")
    try:
        with Path(source).open("rb") as file:
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from None


def _parsed(name: str, data: bytes, form: Form, code: str, max_bytes: int, max_nodes: int) -> Document:
    value = parse(data, form, name=name, max_bytes=max_bytes, code=code, max_nodes=max_nodes)
    return Document(name, value)


def _guess(data: bytes) -> Form:
    start = data[:64].lstrip()[:1]
    return "json" if start in (b"[", b"{", b"") or data[:1] >= b"\x80" else "yaml"


def _encoded(text: str) -> bytes:
    """Arguments that were not UTF-8 come back as the bytes they were."""
    return text.encode("utf-8", "surrogateescape")
