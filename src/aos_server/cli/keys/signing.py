"""`aos-server keys`: the keys that sign webhooks, on the host that keeps them."""

import os
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from aos.errors import AosError
from aos_server.cli.answers import Answer
from aos_server.cli.groups import group
from aos_server.settings import read

if TYPE_CHECKING:
    from aos_server.keystores.backend import Backend

__all__ = ["keys"]

keys = group("The keys that sign webhooks, on this host.")


class Kind(StrEnum):
    """Where keys may be."""

    FILE = "file"
    VAULT = "vault"
    SSM = "ssm"


Where = Annotated[Kind | None, Option("--backend", help="Instead of AOS_WEBHOOK_KEYS, where they are.")]
DryRun = Annotated[bool, Option("--dry-run", help="Say what would change, and change nothing.")]
Name = Annotated[str, Argument(metavar="VERSION", help="v1, v2 …")]


@keys.command("list", epilog="Example:  aos-server keys list --backend vault --json")
def list_(backend: Where = None) -> Answer:
    """Which keys there are, how old, which of them sign. Never a key itself."""
    from aos_server.cli.keys import answers

    return answers.listed(_opened(backend), _now())


@keys.command(epilog="Example:  aos-server keys show v2")
def show(version: Name, backend: Where = None) -> Answer:
    """One key: its age, its end, and a fingerprint by which two places compare."""
    from aos_server.cli.keys import answers

    return answers.shown(_opened(backend), version, _now())


@keys.command(epilog="Example:  aos-server keys rotate --backend file --dry-run")
def rotate(
    overlap: Annotated[
        float, Option(metavar="HOURS", help="How long the key before signs on; at most 168.")
    ] = 24,
    backend: Where = None,
    dry_run: DryRun = False,
) -> Answer:
    """Make a key that signs from now on; the one before it signs on for a while. Also makes the first."""
    from aos_server.cli.keys import answers
    from aos_server.keystores.changes import rotate

    if not 0 <= overlap <= 168:
        raise AosError("bad_value", "--overlap is 0 to 168 hours: 7 days")
    place, now = _opened(backend), _now()
    return answers.changed(place, rotate(place, now, timedelta(hours=overlap)), now, dry_run)


@keys.command(epilog="Example:  aos-server keys retire v1 --confirm v1")
def retire(
    version: Name,
    confirm: Annotated[str, Option(metavar="VERSION", help="Needed while it still signs.")] = "",
    backend: Where = None,
    dry_run: DryRun = False,
) -> Answer:
    """Remove a key for good; never the one that signs."""
    from aos_server.cli.keys import answers
    from aos_server.keystores.changes import retire

    place, now = _opened(backend), _now()
    return answers.changed(place, retire(place, version, now, confirm), now, dry_run)


@keys.command(epilog="Example:  aos-server keys verify --backend ssm")
def verify(backend: Where = None) -> Answer:
    """Look whether every key that signs is there and whole, and whether there are others."""
    from aos_server.cli.keys import answers

    return answers.verified(_opened(backend), _now())


def _opened(kind: Kind | None) -> "Backend":
    from aos_server.keystores import open_backend

    chosen = {"AOS_WEBHOOK_KEYS": kind.value} if kind else {}
    return open_backend(read(os.environ | chosen, "keys").keys)


def _now() -> datetime:
    return datetime.now(UTC)
