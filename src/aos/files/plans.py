"""Plan files: those that are named, and those of a folder and the folders in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aos.errors import AosError
from aos.files.sources import unreadable
from aos.wire.problems import visible
from aos.wire.strict import Json

__all__ = ["MAX_PLANS", "PlanFile", "is_plan", "plan_files"]

MAX_PLANS = 10_000
_FORMS = frozenset((".json", ".yaml", ".yml", ".toml"))


class PlanFile(NamedTuple):
    """A file, what people call it, and whether it was named itself: then it has to be a plan."""

    path: str
    name: str
    named: bool


def plan_files(places: Sequence[str]) -> Iterator[PlanFile]:
    """Those of a folder come in the order of their names, but for hidden ones.

    Raises AosError(unreadable) for a place that is not there, or has too many files.
    """
    for place in places:
        try:
            folder = Path(place).is_dir()
            paths = _inside(Path(place)) if folder else [place]
        except (OSError, ValueError) as error:
            raise unreadable(place, error) from None
        if len(paths) > MAX_PLANS:
            raise AosError(
                "unreadable", f"{visible(place, 200)}: {len(paths):,} files; at most {MAX_PLANS:,}"
            )
        yield from (PlanFile(path, visible(path, 200), not folder) for path in paths)


def is_plan(value: Json) -> bool:
    """Whether a document means to be a plan, sound or not."""
    return isinstance(value, list) or (isinstance(value, dict) and bool({"steps", "aos_plan"} & value.keys()))


def _inside(folder: Path) -> list[str]:
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _FORMS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    ]
