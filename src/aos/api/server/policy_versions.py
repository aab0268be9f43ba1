"""Rules of a team on their way to a server, and from there: what is pushed, and how two versions differ."""

from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

from aos.api.server.session import session
from aos.errors import AosError, Finding, InputError
from aos.files.policies import read_policies
from aos.policy.differences import Differences, differences
from aos.policy.rules import Source, load
from aos.sdk.client import Client
from aos.sdk.core import Document
from aos.wire.problems import at, visible

__all__ = ["Compared", "Side", "compare", "number_of", "replayed_there", "side", "text_of"]


class Side(NamedTuple):
    """Rules to be compared: what people call them, and their files."""

    name: str
    files: Mapping[str, str]


class Compared(NamedTuple):
    """How two policies differ: the digests of both, rule by rule, and line by line."""

    before: str
    after: str
    rules: Differences
    lines: tuple[str, ...]


def text_of(places: Sequence[str]) -> Mapping[str, str]:
    """The rules in files and folders, by the names of the files.

    Raises AosError(unreadable), InputError(invalid_policy) for a name that comes twice, or text that is not UTF-8.
    """
    found, findings = dict[str, str](), list[Finding]()
    for source in (source for place in places for source in read_policies(place)):
        if source.name in found:
            findings.append(
                Finding(at("", source.name), "duplicate_key", f"two files are called {source.name}")
            )
        try:
            found[source.name] = source.data.decode("utf-8")
        except UnicodeDecodeError:
            findings.append(Finding(at("", source.name), "not_utf8", f"{source.name} is not UTF-8"))
    if findings:
        raise InputError.of("invalid_policy", "policy", findings)
    return found


def number_of(client: Client, version: str) -> int:
    """A version by its number, or as `active`. Raises AosError(usage)."""
    if version == "active":
        return int(client.active_policy()["version"])
    if version.isascii() and version.isdigit() and len(version) < 10:
        return int(version)
    raise AosError(
        "usage",
        f'"{visible(version, 80)}" is no version',
        fix="Give its number, or `active`; `aos policy list` lists them.",
    )


def side(client: Client, named: str) -> Side:
    """Rules by the place where they are on this machine, else by their version on the server."""
    if Path(named).exists():
        return Side(visible(named, 80), text_of([named]))
    version = client.policy(number_of(client, named))
    return Side(f"version {version['version']}", version["files"])


def compare(before: Side, after: Side) -> Compared:
    """Both are read, which takes the policy engine on this machine. Raises InputError(invalid_policy)."""
    old, new = (load(_sources(one.files), one.name) for one in (before, after))
    lines = list[str]()
    for name in sorted({*before.files, *after.files}):
        was, now = (one.files.get(name, "").splitlines() for one in (before, after))
        lines += unified_diff(was, now, f"{before.name}/{name}", f"{after.name}/{name}", lineterm="")
    return Compared(old.digest, new.digest, differences(old, new), tuple(lines))


def _sources(files: Mapping[str, str]) -> list[Source]:
    return [Source(name, text.encode()) for name, text in sorted(files.items())]


def replayed_there(
    server: str, candidate: str, against: str | None, ago_ms: float | None, limit: int | None
) -> Document:
    """What a server says of the rules at a place on this machine, or of one of its versions, held against what it has
    on record, and against the version that is active or another one.

    Raises what `text_of` and `number_of` raise, and what the server answers with.
    """
    asked = session(server)
    with asked.client as client:
        files = text_of([candidate]) if Path(candidate).exists() else None
        said = client.replay_policy(
            files=files,
            version=None if files else number_of(client, candidate),
            against=None if against is None else number_of(client, against),
            window_s=None if ago_ms is None else ago_ms / 1000,
            limit=limit,
        )
    return {**said, "server": asked.url}
