"""Versions of rules on a server, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from aos.policy.differences import Differences
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page

_LINES = {"+": GOOD, "-": BAD, "@": FAINT}


def versions(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """A line for each version, the newest first."""
    page = Page(width=width, colour=colour, ascii=ascii)
    active = document["active"]
    rows: list[list[Line]] = [
        [
            (str(one["version"]), STRONG),
            ("active", GOOD) if one["version"] == active else "",
            (_short(one["policy_digest"]), FAINT),
            str(one["pushed_at"])[:16].replace("T", " "),
            str(one["pushed_by"]),
            str(one["message"]),
        ]
        for one in document["versions"]
    ]
    if rows:
        page.add(page.table("rlllnw", rows))
    if active not in [one["version"] for one in document["versions"]]:
        ships = ", the policy that ships" if active == 0 else ""
        page.add([("active", GOOD), f": version {active}{ships}"])
    if document["next"]:
        page.add()
        page.add((f"more: --cursor {document['next']}", FAINT))
    return str(page)


def version(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """One version, and its text."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(f"version {document['version']}", STRONG), f"  {document['message']}"])
    page.add((str(document["policy_digest"]), FAINT))
    if document["pushed_at"]:
        at = str(document["pushed_at"])[:16].replace("T", " ")
        page.add([("pushed ", FAINT), at, (" by ", FAINT), str(document["pushed_by"])])
    for name, text in document["files"].items():
        page.add()
        page.add((str(name), STRONG))
        for line in str(text).splitlines():
            page.add(line)
    return str(page)


def compared(
    names: tuple[str, str],
    rules: Differences,
    lines: Sequence[str],
    width: int,
    colour: bool,
    ascii: bool = False,
) -> str:
    """Rules first, then lines."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(names[0], STRONG), " → ", (names[1], STRONG)])
    named = [
        *((("added", GOOD), rule) for rule in rules.added),
        *((("removed", BAD), rule) for rule in rules.removed),
        *((("changed", OPEN), rule) for _, rule in rules.changed),
    ]
    rows: list[list[Line]] = [
        [what, rule.effect, rule.id, (f"{rule.file}:{rule.line}", FAINT)] for what, rule in named
    ]
    page.add()
    page.add(page.table("llwp", rows) if rows else ("no rule differs in what it means", FAINT))
    if lines:
        page.add()
    for line in lines:
        page.add((line, _LINES.get(line[:1], "")))
    return str(page)


def _short(digest: object) -> str:
    return str(digest).removeprefix("sha256:")[:8]
