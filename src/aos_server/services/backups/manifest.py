"""What a backup says of itself. Whether it is true, `trial` finds out; that it was not edited, its own digest says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from aos.errors import AosError, InputError
from aos.wire import digests, strict
from aos.wire.encode import indented
from aos_server.db.content import Content, Table
from aos_server.db.direct import Likeness

__all__ = ["MAX_BYTES", "Manifest", "State", "Trial", "dumped", "loaded", "stamp"]

FORMAT = 1
"""Of the folder of one backup and what is in it."""
MAX_BYTES = 16 * 1024 * 1024
RIGHTS = ("CONNECT", "CREATE", "TEMPORARY")

State: TypeAlias = Literal["created", "good", "bad"]


class Trial(NamedTuple):
    """A restore that was compared: when it ended, how long it took, on which version of Postgres, what was wrong."""

    at: datetime
    seconds: float
    postgres: str
    wrong: tuple[str, ...]


class Manifest(NamedTuple):
    """Times are UTC. `size` and `sha256` are those of the dump. `trial` None: it was not tried yet."""

    name: str
    aos_version: str
    database: str
    postgres: str
    like: Likeness
    content: Content
    started_at: datetime
    ended_at: datetime
    size: int
    sha256: str
    trial: Trial | None = None

    @property
    def state(self) -> State:
        """Good is only what was restored, and was the same."""
        if self.trial is None:
            return "created"
        return "bad" if self.trial.wrong else "good"

    @property
    def major(self) -> int:
        """Postgres' major version."""
        return int(self.postgres.partition(".")[0])


def stamp(at: datetime) -> str:
    """An instant as documents have it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def dumped(manifest: Manifest) -> bytes:
    """The file, digest and all."""
    document = _document(manifest)
    return indented({**document, "digest": digests.digest(document)}).encode()


def loaded(data: bytes, name: str) -> Manifest:
    """What the file says. Raises AosError(backup_damaged) where it is none, was edited, or is another backup's."""
    try:
        document = strict.parse(
            data, "json", name="manifest.json", max_bytes=MAX_BYTES, code="backup_damaged"
        )
    except InputError as error:
        raise AosError("backup_damaged", f"{name}: {error.detail}") from None
    if not isinstance(document, dict) or document.pop("digest", None) != digests.digest(document):
        raise AosError("backup_damaged", f"{name}: manifest.json was edited, or is cut off")
    try:
        found = _manifest(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AosError("backup_damaged", f"{name}: manifest.json is none of this version's") from None
    if found.name != name:
        raise AosError("backup_damaged", f"{name}: manifest.json is that of {found.name}")
    return found


def _document(manifest: Manifest) -> dict[str, Any]:
    content, like, trial = manifest.content, manifest.like, manifest.trial
    return {
        "schema": "aos.backup-manifest/1",
        "aos_version": manifest.aos_version,
        "format": FORMAT,
        "name": manifest.name,
        "state": manifest.state,
        "started_at": stamp(manifest.started_at),
        "ended_at": stamp(manifest.ended_at),
        "dump": {"bytes": manifest.size, "sha256": manifest.sha256},
        "verified": trial
        and {
            "at": stamp(trial.at),
            "seconds": round(trial.seconds, 3),
            "postgres": trial.postgres,
            "how": "restored into a scratch database and compared",
            "wrong": list(trial.wrong),
        },
        "database": {
            "name": manifest.database,
            "postgres": manifest.postgres,
            "schema_revision": content.revision,
            "owner": like.owner,
            "encoding": like.encoding,
            "collate": like.collate,
            "ctype": like.ctype,
            "grants": [list(grant) for grant in like.grants],
        },
        "audit": {"size": content.tree_size, "root": content.tree_root},
        "tables": {name: {"rows": one.rows, "digest": one.digest} for name, one in content.tables.items()},
        "sequences": {name: str(at) for name, at in content.sequences.items()},
        "objects": dict(content.objects),
    }


def _manifest(document: Mapping[str, Any]) -> Manifest:
    if document["format"] != FORMAT:
        raise ValueError
    base, trial, audit = document["database"], document["verified"], document["audit"]
    grants = [(str(grantee), str(right)) for grantee, right in base["grants"]]
    if not {right for _, right in grants} <= set(RIGHTS):
        raise ValueError
    return Manifest(
        str(document["name"]),
        str(document["aos_version"]),
        str(base["name"]),
        str(base["postgres"]),
        Likeness(str(base["owner"]), str(base["encoding"]), str(base["collate"]), str(base["ctype"]), grants),
        Content(
            str(base["schema_revision"]),
            {name: Table(int(one["rows"]), str(one["digest"])) for name, one in document["tables"].items()},
            {name: int(at) for name, at in document["sequences"].items()},
            {name: str(one) for name, one in document["objects"].items()},
            int(audit["size"]),
            str(audit["root"]),
        ),
        _instant(document["started_at"]),
        _instant(document["ended_at"]),
        int(document["dump"]["bytes"]),
        str(document["dump"]["sha256"]),
        trial
        and Trial(
            _instant(trial["at"]),
            float(trial["seconds"]),
            str(trial["postgres"]),
            tuple(map(str, trial["wrong"])),
        ),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
