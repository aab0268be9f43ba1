"""What is told of keys: versions, times, places. Never a key."""

from datetime import datetime
from typing import Any

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import Change, load, steps
from aos_server.keystores.check import Finding
from aos_server.keystores.keyset import Version, moment
from aos_server.keystores.secrets import fingerprint

__all__ = ["check_document", "foretold", "listed", "shown"]

_UNKNOWN = "the key was not made by aos"


def listed(backend: Backend, now: datetime) -> Document:
    """`aos.keys/1`: all versions, newest first."""
    keys, _ = load(backend)
    rows = [_row(one, now) for one in reversed(keys.versions)]
    unknowns = [
        {"pointer": f"/versions/{n}/{name}", "reason": _UNKNOWN}
        for n, row in enumerate(rows)
        for name in ("created_at", "age_s")
        if row[name] is None
    ]
    return {**_head("aos.keys/1", backend), "versions": rows, "unknowns": unknowns}


def shown(backend: Backend, name: str, now: datetime) -> Document:
    """`aos.key/1`: one version with its fingerprint. Raises AosError(key_not_found)."""
    version = load(backend)[0].get(name)
    if version is None:
        raise AosError("key_not_found", f"there is no key {name}")
    row = {**_row(version, now), "fingerprint": fingerprint(backend.key(name)), "where": backend.where(name)}
    unknowns = [
        {"pointer": f"/{key}", "reason": _UNKNOWN} for key in ("created_at", "age_s") if row[key] is None
    ]
    return {**_head("aos.key/1", backend), **row, "unknowns": unknowns}


def foretold(backend: Backend, change: Change, now: datetime, dry_run: bool) -> Document:
    """`aos.keys-change/1`: what carrying it out does. Before it and after it are the same words."""
    return {
        **_head("aos.keys-change/1", backend),
        "dry_run": dry_run,
        "changes": [step._asdict() for step in steps(change, backend, now)],
        "versions": [_row(one, now) for one in reversed(change.after.versions)],
    }


def check_document(backend: Backend, found: list[Finding]) -> Document:
    """`aos.keys-check/1`: whether all is well."""
    return {
        **_head("aos.keys-check/1", backend),
        "status": "unhealthy" if any(finding.wrong for finding in found) else "healthy",
        "checks": [{"name": one.name, "ok": not one.wrong, "detail": one.wrong or None} for one in found],
    }


def _head(schema: str, backend: Backend) -> dict[str, Any]:
    return {**envelope(schema), "backend": backend.kind}


def _row(version: Version, now: datetime) -> dict[str, Any]:
    made = version.created_at
    return {
        "version": version.name,
        "state": version.state(now),
        "created_at": moment(made),
        "age_s": None if made is None else max(0, int((now - made).total_seconds())),
        "signs_until": moment(version.signs_until),
    }
