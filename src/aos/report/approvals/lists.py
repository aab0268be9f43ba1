"""Requests in a table, and what became of some that were decided."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aos.domain.approvals.requests import OPEN
from aos.report.approvals.card import COLOURS, ago
from aos.report.approvals.foreign import tame
from aos.report.figures import count, duration
from aos.report.parts.page import BAD, FAINT, STRONG, Line, Page

__all__ = ["counted", "decided", "requests", "waits"]

_LONGEST, _KINDS = 60, 12


def requests(
    document: Mapping[str, Any], now: datetime, width: int, colour: bool, ascii: bool = False
) -> str:
    """A row for each: what, who asks, which level, how it stands, until or since when; that is the first to go."""
    page = Page(width=width, colour=colour, ascii=ascii)
    listed: Sequence[Mapping[str, Any]] = document["requests"]
    page.add([(count(len(listed), "request"), STRONG), (f"  {document['server']}", FAINT)])
    if listed:
        page.add()
        head: list[Line] = [(word, FAINT) for word in ("request", "what", "who", "level", "status", "ends")]
        page.add(page.table("lwwrlr", [head, *(_row(one, now) for one in listed)]))
    if document.get("next"):
        page.add()
        page.add((f"older ones: --cursor {document['next']}", FAINT))
    return str(page)


def decided(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """What became of each, and why of those that were refused."""
    page = Page(width=width, colour=colour, ascii=ascii)
    for one in document["requests"]:
        status, still = str(one["status"]), one["min_approvals"] - one["approvals"]
        left = f"  {count(still, 'approval')} still needed" if status in OPEN and still else ""
        page.add([(status, COLOURS.get(status, "")), f"  {tame(str(one['request_id']))}", (left, FAINT)])
    for one in document["failures"]:
        page.add([("refused", BAD), f"  {tame(str(one['request_id']))}  {tame(str(one['detail']))}"])
    return str(page)


def _row(one: Mapping[str, Any], now: datetime) -> list[Line]:
    status = str(one["status"])
    return [
        tame(str(one["request_id"])),
        _what(one),
        tame(str((one["requester"]["owner"] or one["requester"])["subject"]))[:_LONGEST],
        f"{one['approvals']}/{one['min_approvals']} of {one['required_level']}",
        (status, COLOURS.get(status, "")),
        _roughly(
            ago(one["grant_expires_at" if status == "approved" else "decided_at"] or one["expires_at"], now)
        ),
    ]


def _roughly(told: str) -> str:
    """`in 23 h` for `in 23 h 58 min`, `4 min ago` for `4 min 17 s ago`: a list has no room for more."""
    return re.sub(r"(\d \w+) [\d,]+ \w+", r"\1", told)


def _what(one: Mapping[str, Any]) -> str:
    """The skill, or in quotes how the requester calls the plan."""
    name = one.get("plan_name")
    return tame(str(one["skill_id"] or (f'"{name}"' if name else "a plan")))[:_LONGEST]


def counted(requests: Sequence[Mapping[str, Any]], width: int, colour: bool, ascii: bool = False) -> str:
    """How many there are of each kind and level, and the oldest of them."""
    page = Page(width=width, colour=colour, ascii=ascii)
    kinds = Counter((_what(one), int(one["required_level"])) for one in requests)
    page.add((count(len(requests), "request"), STRONG))
    rows: list[list[Line]] = [
        [str(n), what, f"level {level}"] for (what, level), n in kinds.most_common(_KINDS)
    ]
    page.add(page.table("rnl", rows))
    if len(kinds) > _KINDS:
        page.add((f"… and {len(kinds) - _KINDS:,} kinds more", FAINT))
    return str(page)


def waits(by_level: Mapping[int, Sequence[float]], width: int, colour: bool, ascii: bool = False) -> str:
    """How long people took to decide, by level; each level's waits are in order."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add((f"{count(sum(map(len, by_level.values())), 'decision')} of people", STRONG))
    page.add()
    head: list[Line] = [(word, FAINT) for word in ("level", "n", "median", "p90")]
    rows: list[list[Line]] = [
        [str(level), f"{len(found):,}", *(duration(found[int(q * (len(found) - 1))]) for q in (0.5, 0.9))]
        for level, found in by_level.items()
    ]
    page.add(page.table("lrrr", [head, *rows]))
    return str(page)
