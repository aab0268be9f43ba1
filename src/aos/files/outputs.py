"""Writing a file whole or not at all."""

import os
from pathlib import Path

from aos.errors import AosError
from aos.wire.problems import visible

__all__ = ["make_folder", "write_file"]


def make_folder(path: Path) -> None:
    """Make the folder and those above it, unless it is there. Raises AosError(write_failed)."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from None


def write_file(path: Path, text: str, *, replace: bool) -> None:
    """Write `text`; whoever reads the path meanwhile, or after a crash, finds the old content or the new.

    A symbolic link keeps leading where it did. Raises AosError: file_exists where something is there and
    `replace` is false, write_failed where it can't be written.
    """
    if not replace and os.path.lexists(path):
        raise AosError("file_exists", f"{visible(str(path), 200)} exists")
    try:
        target = path.resolve()
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with draft.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                draft.chmod(target.stat().st_mode)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from None


def _failed(path: Path, error: Exception) -> AosError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return AosError("write_failed", f"{visible(str(path), 200)}: {why}")
