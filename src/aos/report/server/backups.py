"""Backups, for people: on the host that keeps them as at a server. Plain lines, which can be pasted."""

from collections.abc import Mapping
from typing import Any

from aos.wire.problems import visible

__all__ = ["backup", "backups", "pruned", "restored"]

_UNITS = (1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")


def backups(document: Mapping[str, Any], *_: object) -> str:
    """A line for each, the newest first, and what is wrong with those that are not good."""
    if not document["backups"]:
        return "there is no backup yet"
    lines = [f"{'backup':26}{'state':9}{'size':>10}  verified at"]
    for one in document["backups"]:
        verified = visible(str(one["verified_at"] or "never"))
        lines.append(f"{_cell(one['name'], 26)}{_cell(one['state'], 9)}{_size(one['bytes']):>10}  {verified}")
        lines += [f"{'':26}{visible(str(why), 1000)}" for why in one["wrong"][:3]]
    return "\n".join([*lines, _last_good(document)])


def backup(document: Mapping[str, Any], *_: object) -> str:
    """One of them, what is in it, and what was last asked for of it."""
    texts = {
        "backup": document["name"],
        "state": document["state"],
        "started at": document["started_at"],
        "verified at": document["verified_at"] or "never",
        **(_inside(document) if document["sha256"] else {}),
    }
    lines = [f"{name:12} {visible(str(value), 1000)}" for name, value in texts.items()]
    lines += [f"{'wrong':12} {visible(str(why), 1000)}" for why in document["wrong"]]
    return "\n".join([*lines, *_asked(document.get("order"))])


def _inside(document: Mapping[str, Any]) -> dict[str, object]:
    audit, tables = document["audit"], document["tables"]
    return {
        "size": _size(document["bytes"]),
        "sha256": document["sha256"],
        "schema": document["schema_revision"],
        "postgres": document["postgres"],
        "audit tree": f"{audit['size']:,} rows, root {audit['root'] or '-'}",
        "tables": f"{len(tables)}, with {sum(tables.values()):,} rows",
    }


def _asked(order: Mapping[str, Any] | None) -> list[str]:
    if order is None:
        return []
    ended = order["ended_at"]
    how = "not ended yet" if ended is None else f"ended at {ended}"
    failed = f": {order['code']}, {order['detail']}" if order["code"] else ""
    said = f"{order['action']}, asked for at {order['asked_at']}, {how}{failed}"
    return [f"{'order':12} {visible(said, 1000)}"]


def pruned(document: Mapping[str, Any], *_: object) -> str:
    """What stays and what goes, and why."""
    lines = [
        f"{'keep' if one['kept'] else 'remove':8}{visible(str(one['name']))}  {visible(str(one['why']), 200)}"
        for one in document["backups"]
    ]
    if not lines:
        return "there is no backup yet"
    return "\n".join([*lines, "nothing was removed: --dry-run"] if document["dry_run"] else lines)


def restored(document: Mapping[str, Any], *_: object) -> str:
    """What is where now, and what has to be done before the service starts."""
    name, database, before = (visible(str(document[key])) for key in ("name", "database", "kept_as"))
    lines = [f"{database} is {name} now: as of {visible(str(document['as_of']))}, compared and the same"]
    if document["kept_as"]:
        lines.append(f"what it was before is kept as {before}")
    audit = document["audit"]
    if audit["signed"] is not None and audit["signed"] > audit["size"]:
        lines.append(
            f"the audit log has {audit['size']:,} rows; the file of checkpoints knows {audit['signed']:,}. Before a"
        )
        lines.append("worker starts, move the file away and keep it: it proves what came after the backup")
    return "\n".join(lines)


def _last_good(document: Mapping[str, Any]) -> str:
    name = document["last_good"]
    return f"the last good one: {visible(str(name))}" if name else "none of them is good"


def _size(size: int | None) -> str:
    if size is None:
        return "unknown"
    unit, word = next(((unit, word) for unit, word in _UNITS if size >= unit), (1, "B"))
    return f"{size / unit:.3g} {word}" if unit > 1 else f"{size} B"


def _cell(value: object, width: int) -> str:
    return f"{visible(str(value)):{width}}"
