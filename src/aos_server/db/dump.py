"""pg_dump and pg_restore, as children whose other end is this process: when it is killed, they end with it.

Their way and password are in their environment. A dump is in Postgres' own format, compressed: what was changed in it
does not come apart, which plain SQL would.
"""

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from aos.errors import AosError
from aos_server.db.direct import child_environment
from aos_server.settings import Secret

__all__ = ["Programs", "Written", "dump", "programs", "restore"]

CHUNK = 1 << 20
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_QUOTED = re.compile(r'(?<!role )(?<!relation )(?<!extension )"[^"]*"')
_PASSING = re.compile(
    r"could not connect|connection to server|server closed|No space left|could not extend|terminating"
)
_MEMORY = 64 * 1024
"""Bytes of a program's complaints that are kept: the last ones."""


class Programs(NamedTuple):
    """Where pg_dump and pg_restore are, and their version."""

    folder: Path
    version: int


class Written(NamedTuple):
    """What went through: bytes, and their SHA-256 in hex."""

    size: int
    sha256: str


async def programs(server: int, folder: Path | None) -> Programs:
    """Those in `folder`; else the oldest on PATH or where Debian keeps them that know the `server`, a major version.

    Raises AosError(postgres_programs) where there are none, or only older ones, which can't dump a newer server.
    """
    on_path = shutil.which("pg_dump")
    places = (
        [folder] if folder else [*([Path(on_path).parent] if on_path else []), *sorted(_DEBIAN.glob("*/bin"))]
    )
    found = [
        Programs(place, version)
        for place in places
        if (place / "pg_restore").exists() and (version := await _version(place / "pg_dump"))
    ]
    fit = [one for one in found if one.version >= server]
    if fit:
        return min(fit, key=lambda one: one.version)
    newest = max((one.version for one in found), default=None)
    where = f"in {folder}" if folder else "here"
    detail = (
        f"there is no pg_dump {where}"
        if newest is None
        else f"pg_dump {where} is {newest}, older than the server"
    )
    raise AosError(
        "postgres_programs",
        f"{detail}: it takes {server} or newer",
        fix=f"Install postgresql-client-{server} (Debian: apt.postgresql.org has all), "
        "or name their folder in AOS_BACKUP_PROGRAMS.",
    )


async def dump(used: Programs, url: Secret, snapshot: str, to: BinaryIO) -> Written:
    """Dump the database that `url` leads to, as `snapshot` sees it.

    Raises AosError: backup_failed in pg_dump's own words, unavailable; OSError where `to` takes no more.
    """
    words = [
        str(used.folder / "pg_dump"),
        "--format=custom",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=30s",
    ]
    size, hashed = 0, hashlib.sha256()
    async with _running([*words, "--no-password"], url) as (child, complaints):
        assert child.stdout is not None
        while chunk := await child.stdout.read(CHUNK):
            await asyncio.to_thread(_keep, to, chunk, hashed)
            size += len(chunk)
        await _ended(child, complaints, "pg_dump")
    return Written(size, hashed.hexdigest())


async def restore(used: Programs, url: Secret, role: str | None, source: BinaryIO) -> tuple[Written, str]:
    """Restore what is in `source` into the empty database that `url` leads to; as `role`, where that is another one.

    Returns what was read, and why it could not be restored, in words; "" where it was. Raises AosError(unavailable)
    where that is nothing that `source` could be blamed for.
    """
    words = [str(used.folder / "pg_restore"), "--exit-on-error", "--no-owner", "--no-password"]
    words += [f"--role={role}"] if role else []
    size, hashed, why = 0, hashlib.sha256(), ""
    database = child_environment(url).get("PGDATABASE", "")
    async with _running([*words, f"--dbname={database}"], url) as (child, complaints):
        assert child.stdin is not None
        listens = True
        while chunk := await asyncio.to_thread(source.read, CHUNK):
            hashed.update(chunk)
            size += len(chunk)
            try:
                if listens:
                    child.stdin.write(chunk)
                    await child.stdin.drain()
            except ConnectionError:  # it has had enough; the rest is hashed all the same
                listens = False
        child.stdin.close()
        try:
            await _ended(child, complaints, "pg_restore")
        except AosError as error:
            if error.code == "unavailable":
                raise
            why = error.detail
    return Written(size, hashed.hexdigest()), why


def _keep(to: BinaryIO, chunk: bytes, hashed: "hashlib._Hash") -> None:
    to.write(chunk)
    hashed.update(chunk)


@asynccontextmanager
async def _running(
    words: Sequence[str], url: Secret
) -> AsyncIterator[tuple[asyncio.subprocess.Process, "asyncio.Task[bytes]"]]:
    """A child and its complaints; killed where the block ends before it does."""
    pipe = asyncio.subprocess.PIPE
    nothing, gives = asyncio.subprocess.DEVNULL, words[0].endswith("pg_dump")
    child = await asyncio.create_subprocess_exec(
        *words,
        stdin=nothing if gives else pipe,
        stdout=pipe if gives else nothing,
        stderr=pipe,
        env=child_environment(url),
        limit=CHUNK,
    )
    assert child.stderr is not None
    complaints = asyncio.create_task(_last(child.stderr))
    try:
        yield child, complaints
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        complaints.cancel()


async def _last(stream: asyncio.StreamReader) -> bytes:
    kept = b""
    while chunk := await stream.read(CHUNK):
        kept = (kept + chunk)[-_MEMORY:]
    return kept


async def _ended(child: asyncio.subprocess.Process, complaints: "asyncio.Task[bytes]", name: str) -> None:
    """Return where it ended well. A complaint may quote rows, so of what is in quotes only names are repeated."""
    said = (await complaints).decode("utf-8", "replace")
    status = await child.wait()
    if status == 0:
        return
    lines = [line for line in said.splitlines() if line.startswith(f"{name}: error:")]
    first = lines[0].partition("error:")[2].strip() if lines else f"it ended with status {status}"
    why = _QUOTED.sub("…", first)[:300]
    if status < 0 or _PASSING.search(said):
        raise AosError("unavailable", f"{name}: {why}", retry_after_s=60)
    raise AosError("backup_failed", f"{name}: {why}")


async def _version(program: Path) -> int | None:
    """Its major version; None where it is none that runs."""
    try:
        child = await asyncio.create_subprocess_exec(program, "--version", stdout=asyncio.subprocess.PIPE)
    except OSError:
        return None
    said, _ = await child.communicate()
    match = _VERSION.search(said.decode("utf-8", "replace"))
    return int(match[1]) if match else None
