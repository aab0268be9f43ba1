"""The policy that is active in a tenant. Where nobody has activated one it is the policy that ships."""

from functools import lru_cache
from typing import NamedTuple

from aos.policy.rules import Policy, Source, default_policy, load

__all__ = ["Rules", "digest_of", "policy_of"]


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
