"""Files of rules: one, or all `*.cedar` of a folder in the order of their names."""

from pathlib import Path

from aos.errors import AosError
from aos.files.sources import unreadable
from aos.policy.rules import MAX_BYTES, Source
from aos.wire.problems import visible

__all__ = ["MAX_FILES", "read_policies"]

MAX_FILES = 100


def read_policies(place: str) -> tuple[Source, ...]:
    """Read them, each a byte beyond the limit at most. Raises AosError(unreadable)."""
    path = Path(place)
    try:
        files = sorted(path.glob("*.cedar")) if path.is_dir() else [path]
        if len(files) > MAX_FILES:
            raise AosError("unreadable", f"{visible(place, 200)}: {len(files)} files; at most {MAX_FILES}")
        if not files:
            raise AosError(
                "unreadable",
                f"{visible(place, 200)}: no file in it ends in .cedar",
                fix="Write rules into a file such as rules.cedar there.",
            )
        return tuple(Source(_name(file), _bytes(file)) for file in files)
    except (OSError, ValueError) as error:
        raise unreadable(place, error) from None


def _name(file: Path) -> str:
    """A name that is not UTF-8 is shown with its bytes escaped."""
    return visible(file.name, 200)


def _bytes(file: Path) -> bytes:
    """What is no file, a pipe or a device, is not waited for."""
    if file.exists() and not file.is_file():
        raise ValueError(f"{file.name} is not a file")
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)
