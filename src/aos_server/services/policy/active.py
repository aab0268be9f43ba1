"""The policy that is active in a tenant: the version that was activated last, else the policy that ships, version 0."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from aos.policy.rules import Policy, Source, default_policy, load
from aos_server.db.pool import Row

__all__ = ["SHIPPED", "Active", "Rules", "active_of", "digest_of", "policy_of", "sources"]

SHIPPED = 0
"""The version that is the policy of this release. No row has it."""


class Rules(NamedTuple):
    """The text of a policy, and the digest of what it means, as it was computed when the text came."""

    digest: str
    files: tuple[Source, ...]


@lru_cache(maxsize=64)
def policy_of(rules: Rules | None) -> Policy:
    """The policy, parsed; None: the one that ships. Raises InputError(invalid_policy)."""
    if rules is None:
        return default_policy()
    return load(rules.files)._replace(digest=rules.digest)


def digest_of(rules: Rules | None) -> str:
    """The digest by which a policy is known. It needs no parsing."""
    return default_policy().digest if rules is None else rules.digest


def sources(files: Mapping[str, str]) -> tuple[Source, ...]:
    """Files of rules by their names, in the order of these."""
    return tuple(Source(name, text.encode()) for name, text in sorted(files.items()))


class Active(NamedTuple):
    """What holds: the tenant's activation of that `number`, by whom, when and why. Number 0: nobody activated any."""

    number: int
    version: int
    digest: str
    by: str | None = None
    at: datetime | None = None
    why: str | None = None


def active_of(rows: Sequence[Row]) -> Active:
    """From what `policies.active` finds."""
    if not rows:
        return Active(0, SHIPPED, digest_of(None))
    (row,) = rows
    digest = row["policy_digest"] or digest_of(None)
    return Active(row["number"], row["version"], digest, row["subject"], row["created_at"], row["why"])
