"""The archive of a server, for people: plain lines."""

from collections.abc import Mapping
from typing import Any

from aos.wire.problems import visible

__all__ = ["archive", "order"]


def archive(document: Mapping[str, Any], *_: object) -> str:
    """A line for requests and one for runs, and when rows are moved."""
    after, keep = document["after_days"], document["keep_days"]
    moved = "nothing is archived: AOS_ARCHIVE_DAYS is 0" if after is None else f"archived after {after} days"
    kept = "" if after is None else f", kept {'for good' if keep is None else f'for {keep} days'}"
    lines = [
        f"{what:10}{one['live']:>12,}{_due(one):>12}{one['archived']:>12,}  "
        f"{visible(str(one['oldest_archived_at'] or '-'))[:10]}"
        for what, one in ((what, document[what]) for what in ("requests", "runs"))
    ]
    return "\n".join([f"{'':10}{'live':>12}{'due':>12}{'archived':>12}  oldest", *lines, moved + kept])


def order(document: Mapping[str, Any], *_: object) -> str:
    """Whether a worker was told."""
    done = document["ordered"]
    return "the next worker that looks archives what is due" if done else "a worker was told already"


def _due(counts: Mapping[str, Any]) -> str:
    return "-" if counts["due"] is None else f"{counts['due']:,}"
