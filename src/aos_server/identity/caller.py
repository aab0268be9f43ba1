"""The caller of a request, and what each kind of act asks of one."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, get_args

from aos.errors import AosError

__all__ = ["ACTS", "Act", "Caller", "Kind", "Principal", "require", "require_level"]

Act: TypeAlias = Literal["read", "evaluate", "create", "decide", "operate"]
"""The kinds of act; rate limits and the failure matrix have the same."""
ACTS: tuple[Act, ...] = get_args(Act)

Kind: TypeAlias = Literal["human", "machine"]


class Principal(NamedTuple):
    """Somebody, for good: names repeat between issuers, pairs don't."""

    issuer: str
    subject: str


class Caller(NamedTuple):
    """Who sends a request, within one tenant; made only by `Identity`.

    `level` (0 to 5) is what a person may approve; it is `live` where the auth service or the token's issuer said so
    just now. A machine has level 0 and acts by its `scopes`. `owner` is the person who made a service key, and
    `per_minute` the key's own limit of requests (None: the limit that everybody has).
    """

    principal: Principal
    tenant: str
    kind: Kind
    roles: tuple[str, ...] = ()
    level: int = 0
    live: bool = False
    scopes: frozenset[Act] = frozenset()
    owner: Principal | None = None
    per_minute: int | None = None


_LEVEL_NEEDED: Mapping[Act, int] = {"read": 0, "evaluate": 1, "create": 2, "decide": 2, "operate": 4}


def require(caller: Caller, act: Act) -> None:
    """Let the caller through. Raises AosError(authorization_denied) where it may not do acts of that kind.

    Deciding takes a person. Reading takes no more than a valid token, so that it goes on when nobody can be asked.
    """
    if caller.kind == "machine":
        if act == "decide":
            raise AosError("authorization_denied", "a machine can't decide; people do")
        if act not in caller.scopes:
            raise AosError("authorization_denied", f'this takes the scope "{act}"')
        return
    require_level(caller, _LEVEL_NEEDED[act])


def require_level(caller: Caller, needed: int) -> None:
    """Let a person of that level through, and machines. Raises AosError(authorization_denied)."""
    if caller.kind == "human" and caller.level < needed:
        raise AosError("authorization_denied", f"this takes level {needed} or above; yours is {caller.level}")
