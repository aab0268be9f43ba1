"""Keys in a folder of the test's own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aos_server.keystores.changes import carry_out, rotate
from aos_server.keystores.file import FileBackend


def new_keys(folder: Path) -> FileBackend:
    backend = FileBackend(folder, "v1")
    carry_out(backend, rotate(backend, datetime.now(UTC), timedelta(hours=1)))
    return backend
