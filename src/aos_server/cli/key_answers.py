"""What `aos-server keys` answers: versions, times, places. Never a key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aos
from aos.errors import AosError, Exit
from aos_server.cli.answers import Answer
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import Change, carry_out, load, steps
from aos_server.keystores.check import check
from aos_server.keystores.keyset import Version, moment
from aos_server.keystores.secrets import fingerprint

__all__ = ["changed", "listed", "shown", "verified"]

_DAY = 86_400


def listed(backend: Backend, now: datetime) -> Answer:
    """All versions, newest first."""
    keys, _ = load(backend)
    rows = [_row(one, now) for one in reversed(keys.versions)]
    unknowns = [
        {"pointer": f"/versions/{n}/{name}", "reason": "the key was not made by aos"}
        for n, row in enumerate(rows)
        for name in ("created_at", "age_s")
        if row[name] is None
    ]
    document = {**_head("aos.keys/1", backend), "versions": rows, "unknowns": unknowns}
    lines = [f"{'version':9}{'state':9}{'age':9}signs until", *map(_line, rows)]
    return Answer(document, "\n".join(lines) if rows else "there is no key yet")


def shown(backend: Backend, name: str, now: datetime) -> Answer:
    """One version with its fingerprint."""
    version = load(backend)[0].get(name)
    if version is None:
        raise AosError("key_not_found", f"there is no key {name}")
    row = {**_row(version, now), "fingerprint": fingerprint(backend.key(name)), "where": backend.where(name)}
    missing = [key for key in ("created_at", "age_s") if row[key] is None]
    unknowns = [{"pointer": f"/{key}", "reason": "the key was not made by aos"} for key in missing]
    texts = {**row, "age_s": _age(row), "created_at": row["created_at"] or "unknown"}
    lines = [f"{key.removesuffix('_s').replace('_', ' '):12} {value or '-'}" for key, value in texts.items()]
    return Answer({**_head("aos.key/1", backend), **row, "unknowns": unknowns}, "\n".join(lines))


def changed(backend: Backend, change: Change, now: datetime, dry_run: bool) -> Answer:
    """Carry a change out, or only say what it would do: the same words either way."""
    done = [step._asdict() for step in steps(change, backend, now)]
    if not dry_run:
        carry_out(backend, change)
    document = {
        **_head("aos.keys-change/1", backend),
        "dry_run": dry_run,
        "changes": done,
        "versions": [_row(one, now) for one in reversed(change.after.versions)],
    }
    lines = [f"{step['do']:8} {step['where']}  {step['what']}" for step in done]
    return Answer(document, "\n".join([*lines, "nothing was changed: --dry-run"] if dry_run else lines))


def verified(backend: Backend, now: datetime) -> Answer:
    """Whether all is well; a no is 3."""
    found = check(backend, now)
    well = not any(finding.wrong for finding in found)
    document = {
        **_head("aos.keys-check/1", backend),
        "status": "healthy" if well else "unhealthy",
        "checks": [{"name": one.name, "ok": not one.wrong, "detail": one.wrong or None} for one in found],
    }
    lines = [f"{'no' if one.wrong else 'ok'}  {one.name}{one.wrong and ': '}{one.wrong}" for one in found]
    return Answer(document, "\n".join(lines), Exit.YES if well else Exit.NO)


def _head(schema: str, backend: Backend) -> dict[str, Any]:
    return {"schema": schema, "aos_version": aos.__version__, "backend": backend.kind}


def _row(version: Version, now: datetime) -> dict[str, Any]:
    made = version.created_at
    return {
        "version": version.name,
        "state": version.state(now),
        "created_at": moment(made),
        "age_s": None if made is None else max(0, int((now - made).total_seconds())),
        "signs_until": moment(version.signs_until),
    }


def _line(row: Mapping[str, Any]) -> str:
    return f"{row['version']:9}{row['state']:9}{_age(row):9}{row['signs_until'] or '-'}"


def _age(row: Mapping[str, Any]) -> str:
    seconds = row["age_s"]
    if seconds is None:
        return "unknown"
    return f"{seconds // _DAY} d" if seconds >= _DAY else f"{seconds // 3600} h"
