"""Webhooks of a server and their deliveries, for people."""

import json
from collections.abc import Mapping
from typing import Any

from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page

_STATES = {
    "active": GOOD,
    "disabled": BAD,
    "removed": FAINT,
    "waiting": OPEN,
    "delivered": GOOD,
    "failed": BAD,
}
_REASONS = {"asked": "somebody asked for it", "gone": "the receiver says it is gone (410)"}


def webhooks(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Two lines for each, the newest first."""
    page = Page(width=width, colour=colour, ascii=ascii)
    rows: list[list[Line]] = []
    for one in document["webhooks"]:
        rows.append([_state(one), str(one["url"])])
        waits = f"  {one['waiting']:,} waiting" if one["waiting"] else ""
        rows.append(["", [(f"{one['webhook_id']}  {' '.join(one['topics'])}", FAINT), (waits, OPEN)]])
    page.add(page.table("lw", rows) if rows else ("there are no webhooks", FAINT))
    _more(page, document)
    return str(page)


def webhook(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """One in full."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(str(document["webhook_id"]), STRONG), "  ", _state(document)])
    page.add()
    why = document["disabled_reason"]
    told: dict[str, Any] = {
        "url": document["url"],
        "topics": " ".join(document["topics"]),
        "what": document["description"],
        "request": document["request_id"],
        "signature": "also X-Webhook-Signature" if document["legacy_signature"] else None,
        "disabled": why and f"{_when(document['disabled_at'])}: {_REASONS.get(why, 'it failed for days')}",
        "waiting": document["waiting"],
        "made": f"{_when(document['created_at'])} by {document['created_by']}",
    }
    _told(page, told)
    return str(page)


def secrets(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """The live secrets, the newest first: a line each that can be pasted."""
    page = Page(width=width, colour=colour, ascii=ascii)
    rows: list[list[Line]] = []
    for one in document["secrets"]:
        until = one["signs_until"]
        rows.append([(str(one["key_version"]), FAINT), (str(one["secret"]), STRONG)])
        rows.append(["", ("current" if until is None else f"signs until {until}", FAINT)])
    page.add(page.table("ll", rows))
    return str(page)


def sent(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Where to look for it."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([("sent  ", OPEN), (str(document["message_id"]), FAINT)])
    page.add(f"aos webhooks deliveries {document['delivery_id']}")
    return str(page)


def deliveries(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Two lines for each, the newest first."""
    page = Page(width=width, colour=colour, ascii=ascii)
    rows: list[list[Line]] = []
    for one in document["deliveries"]:
        name, style = _state(one)
        told: Line = [f"{_when(one['created_at'])}  ", (f"{name:9}", style), f"  {one['type']}"]
        rows.append([f"{one['sequence']:,}", told])
        rows.append(["", [(f"{one['delivery_id']}  ", FAINT), _outcome(one)]])
    page.add(page.table("rw", rows) if rows else ("nothing was sent", FAINT))
    _more(page, document)
    return str(page)


def delivery(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """One delivery, each of its tries and what it says."""
    page = Page(width=width, colour=colour, ascii=ascii)
    _about(page, document)
    if document["log"]:
        page.add()
    rows: list[list[Line]] = [
        [
            _when(one["at"]),
            f"{one['ms']:,} ms",
            (str(one["status"] or "-"), BAD if one["code"] else GOOD),
            str(one["code"] or "arrived"),
            str(one["detail"] or one["reply"] or ""),
        ]
        for one in document["log"]
    ]
    page.add(page.table("lrllw", rows))
    page.add()
    for line in json.dumps(document["data"], indent=1, ensure_ascii=False).splitlines():
        page.add((line, FAINT))
    return str(page)


def redelivery(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """What is on its way once more."""
    page = Page(width=width, colour=colour, ascii=ascii)
    _about(page, document)
    return str(page)


def _about(page: Page, one: Mapping[str, Any]) -> None:
    page.add([(str(one["type"]), STRONG), f"  {one['sequence']:,}  ", _state(one)])
    page.add()
    told = {
        "delivery": one["delivery_id"],
        "message": one["message_id"],
        "webhook": one["webhook_id"],
        "next try": one["next_at"] and _when(one["next_at"]),
        "ended": one["ended_at"] and _when(one["ended_at"]),
    }
    _told(page, told)


def _told(page: Page, told: Mapping[str, Any]) -> None:
    rows: list[list[Line]] = [
        [(name, FAINT), str(value)] for name, value in told.items() if value not in (None, "")
    ]
    page.add(page.table("lw", rows))


def _state(one: Mapping[str, Any]) -> tuple[str, str]:
    state = str(one["state"])
    return state, _STATES.get(state, "")


def _outcome(one: Mapping[str, Any]) -> str:
    """Tries, and how the last one ended."""
    if not one["attempts"]:
        return "not tried yet"
    tries = f"{one['attempts']} {'try' if one['attempts'] == 1 else 'tries'}"
    last = " ".join(str(part) for part in (one["status"], one["code"]) if part is not None)
    return f"{tries}: {last}"


def _more(page: Page, document: Mapping[str, Any]) -> None:
    if document["next"]:
        page.add()
        page.add((f"more: --cursor {document['next']}", FAINT))


def _when(at: object) -> str:
    return str(at)[:19].replace("T", " ")
