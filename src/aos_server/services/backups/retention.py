"""Which backups are kept: of the last days one each, of the last weeks one each, and the last good one always."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from aos_server.services.backups.folder import Folder, Found

__all__ = ["Kept", "Rule", "kept", "prune"]


class Rule(NamedTuple):
    """Of `days` days and `weeks` weeks (ISO's, in UTC) the last good one is kept, and all younger than `least`."""

    days: int
    weeks: int
    least: timedelta = timedelta(hours=24)


class Kept(NamedTuple):
    """A backup, and why it is kept; "" is why not."""

    backup: Found
    why: str


def kept(backups: Sequence[Found], rule: Rule, now: datetime) -> list[Kept]:
    """What becomes of each, the oldest first. Without a good one, nothing goes.

    What is not good goes once there is a good one that is younger. A damaged one stays: a person has to look.
    """
    newest_first = sorted(backups, key=lambda one: one.name, reverse=True)
    good = [one for one in newest_first if one.is_good]
    daily = _firsts(good, lambda at: at.date().isoformat(), rule.days)
    weekly = _firsts(good, lambda at: "{}-{}".format(*at.isocalendar()), rule.weeks)

    def why(one: Found) -> str:
        if not good:
            return "there is no good one"
        if one is good[0]:
            return "the last good one"
        if one.manifest is None:
            return "damaged: look at it, then remove it by hand"
        if now - one.started_at < rule.least:
            return f"younger than {rule.least.total_seconds() / 3600:g} h"
        if not one.is_good:
            return "" if one.name < good[0].name else "nothing good came after it"
        return "the last of its day" if one in daily else "the last of its week" if one in weekly else ""

    return [Kept(one, why(one)) for one in reversed(newest_first)]


def _firsts(newest_first: Sequence[Found], period: Callable[[datetime], str], most: int) -> list[Found]:
    """The newest of each period, of so many periods that have one."""
    found: dict[str, Found] = {}
    for one in newest_first:
        found.setdefault(period(one.started_at), one)
    return list(found.values())[:most]


def prune(folder: Folder, rule: Rule, now: datetime, *, dry_run: bool) -> list[Kept]:
    """Remove what the rule does not keep; what became of each. Raises AosError: backup_running, write_failed."""
    if dry_run:
        return kept(folder.every(), rule, now)
    with folder.locked("removing old backups"):
        found = kept(folder.every(), rule, now)
        for one in found:
            if not one.why:
                folder.remove(one.backup.name)
    return found
