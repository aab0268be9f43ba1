"""Keys that sign webhooks, for people: on the host that keeps them as at a server.

Plain lines, which can be pasted: how the terminal looks changes nothing about them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aos.wire.problems import visible

__all__ = ["change", "check", "key", "keys", "rehearsal"]

_UNITS = (86_400, "d"), (3_600, "h"), (60, "min")


def keys(document: Mapping[str, Any], *_: object) -> str:
    """A line for each version, newest first."""
    rows = [
        f"{_cell(one['version'], 9)}{_cell(one['state'], 9)}{_age(one):9}{visible(str(one['signs_until'] or '-'))}"
        for one in document["versions"]
    ]
    return (
        "\n".join([f"{'version':9}{'state':9}{'age':9}signs until", *rows]) if rows else "there is no key yet"
    )


def key(document: Mapping[str, Any], *_: object) -> str:
    """One version."""
    texts = {
        "version": document["version"],
        "state": document["state"],
        "created at": document["created_at"] or "unknown",
        "age": _age(document),
        "signs until": document["signs_until"] or "-",
        "fingerprint": document["fingerprint"],
        "where": document["where"],
    }
    return "\n".join(f"{name:12} {visible(str(value), 1000)}" for name, value in texts.items())


def change(document: Mapping[str, Any], *_: object) -> str:
    """What was done, or would be, in its order."""
    lines = [
        f"{_cell(one['do'], 8)} {visible(str(one['where']), 1000)}  {visible(str(one['what']), 1000)}"
        for one in document["changes"]
    ]
    return "\n".join([*lines, "nothing was changed: --dry-run"] if document["dry_run"] else lines)


def check(document: Mapping[str, Any], *_: object) -> str:
    """A line for each thing that was looked at."""
    return "\n".join(
        f"{'ok' if one['ok'] else 'no'}  {visible(str(one['name']))}"
        + (f": {visible(str(one['detail']), 1000)}" if one["detail"] else "")
        for one in document["checks"]
    )


def rehearsal(document: Mapping[str, Any], *_: object) -> str:
    """Who has accepted the key, and who has not."""
    states = [one["state"] for one in document["webhooks"]]
    head = f"{visible(str(document['version']))} alone: {states.count('accepted')} of {len(states)} accept it"
    return "\n".join([head, *_told(document["webhooks"]), *_elsewhere(document["elsewhere"])])


def _told(webhooks: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for one in webhooks:
        last = " ".join(str(part) for part in (one["status"], one["code"]) if part is not None)
        yield f"{_cell(one['state'], 11)}{visible(str(one['webhook_id']))}  {visible(str(one['url']), 1000)}"
        if one["state"] == "refused":
            yield f"{'':11}{visible(last)}"


def _elsewhere(counts: Mapping[str, int]) -> Iterable[str]:
    told = [f"{number:,} {visible(str(state))}" for state, number in counts.items() if number]
    if told:
        yield f"of other tenants: {', '.join(told)}"


def _cell(value: object, width: int) -> str:
    return f"{visible(str(value)):{width}}"


def _age(row: Mapping[str, Any]) -> str:
    seconds = row["age_s"]
    if seconds is None:
        return "unknown"
    unit, word = next(((unit, word) for unit, word in _UNITS if seconds >= unit), (1, "s"))
    return f"{seconds // unit} {word}"
