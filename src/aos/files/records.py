"""Recorded runs from a path or standard input, CSV or JSONL, packed or not; read as a stream."""

import gzip
import io
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from aos.errors import AosError
from aos.files.sources import stdin, unreadable
from aos.wire.problems import visible
from aos.wire.records.read import Declared, Listed, read_csv, read_jsonl

__all__ = ["read_records"]

_READERS = {".csv": read_csv, ".jsonl": read_jsonl, ".ndjson": read_jsonl}
_GZIP = b"\x1f\x8b"
_JSON = (b"{", b"[")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""What tables begin with that spreadsheets write as Unicode text."""

_UNPACK = "Get it whole; or learn from what is left: `gzip -dc FILE` writes that, and `-` reads it."


def read_records(source: str, declared: Declared) -> Listed:
    """Read recorded runs; `source` is a path or `-` for standard input.

    The ending says whether it is CSV or JSONL, else its first character does; gzip is known by its first bytes. Raises
    AosError(unreadable), and InputError for what can't be made out or leaves nothing to learn from.
    """
    name = "<stdin>" if source == "-" else source
    try:
        with ExitStack() as open_files:
            raw = stdin() if source == "-" else open_files.enter_context(Path(source).open("rb"))
            stream = cast("io.BufferedReader", raw)
            if stream.peek(2)[:2] == _GZIP:
                stream = io.BufferedReader(cast(io.RawIOBase, open_files.enter_context(gzip.open(stream))))
            start = stream.peek(64)[:64]
            encoding = "utf-16" if start[:2] in _UTF_16 else "utf-8-sig"
            text = io.TextIOWrapper(
                cast("IO[bytes]", stream), encoding=encoding, errors="backslashreplace", newline=""
            )
            open_files.callback(text.detach)
            read = _READERS.get(_ending(source)) or (read_jsonl if start.lstrip()[:1] in _JSON else read_csv)
            return read(text, declared, name=name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        why = "is cut off" if isinstance(error, EOFError) else f"is damaged ({error})"
        raise AosError("unreadable", f"{visible(name, 200)}: what gzip packed {why}", fix=_UNPACK) from None
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from None


def _ending(source: str) -> str:
    path = Path(source)
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
