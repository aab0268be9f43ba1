"""The audit log of a server, for people."""

import json
from collections.abc import Mapping
from typing import Any

from aos.report.figures import count
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page

_STATUS = {"sound": GOOD, "damaged": BAD, "undetermined": OPEN}
_PROVED = {
    True: ("proved: it is in the tree that was signed", GOOD),
    False: ("NOT PROVED: the proof does not lead from it to the tree that was signed", BAD),
    None: ("not in the tree yet: a worker puts it there within a second or so", OPEN),
}


def entries(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Two lines for each entry, the latest first."""
    page = Page(width=width, colour=colour, ascii=ascii)
    if not document["entries"]:
        page.add(("nothing is in the audit log", FAINT))
        return str(page)
    rows: list[list[Line]] = []
    for one in document["entries"]:
        code = one["details"].get("code")
        what = f"{one['action']}: {code}" if code else one["action"]
        rows.append([_when(one), f"{one['subject']}  {what}  {one['object']}"])
        rows.append(["", (str(one["id"]), FAINT)])
    page.add(page.table("lw", rows))
    if document["next"]:
        page.add()
        page.add((f"more: --cursor {document['next']}", FAINT))
    return str(page)


def entry(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """One entry in full, and whether it is proved."""
    page = Page(width=width, colour=colour, ascii=ascii)
    one = document["entry"]
    page.add([(str(one["action"]), STRONG), f"  {one['object']}"])
    page.add()
    rows: list[list[Line]] = [
        [("when", FAINT), str(one["at"])],
        [("who", FAINT), f"{one['subject']}  {one['issuer']}"],
        [("tenant", FAINT), str(one["tenant_id"])],
        [("details", FAINT), json.dumps(one["details"], ensure_ascii=False)],
        [("entry", FAINT), str(one["id"])],
    ]
    if document["position"] is not None:
        rows.append([("position", FAINT), f"{document['position']:,}"])
    page.add(page.table("lw", rows))
    page.add()
    page.add(_PROVED[document["proved"]])
    return str(page)


def check(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Whether the log is what was signed, and where it is not."""
    page = Page(width=width, colour=colour, ascii=ascii)
    status = str(document["status"])
    page.add([(status.upper(), _STATUS.get(status, "")), (f"  {document['server']}", FAINT)])
    notes = document["checkpoints"]
    borne = f"; {count(notes, 'signed checkpoint')} borne out" if notes is not None else ""
    page.add(f"{count(document['entries'], 'row')} of yours, {document['size']:,} in the tree{borne}")
    if document["waiting"]:
        page.add(f"{document['waiting']:,} of yours not in the tree yet")
    found: list[list[Line]] = [
        ["" if one["position"] is None else f"{one['position']:,}", (str(one["detail"]), BAD)]
        for one in document["damage"]
    ]
    why: list[list[Line]] = [["", (str(one["reason"]), OPEN)] for one in document["unknowns"]]
    if found or why:
        page.add()
        page.add(page.table("rw", [*found, *why]))
    return str(page)


def _when(one: Mapping[str, Any]) -> str:
    return str(one["at"])[:19].replace("T", " ")
