"""Roles to levels: the highest level that a role may approve."""

from collections.abc import Iterable, Mapping

__all__ = ["LEVELS", "MAX_CLAIMED_LEVEL", "MAX_LEVEL", "level_of"]

LEVELS: Mapping[str, int] = {
    **dict.fromkeys(("owner", "admin"), 5),
    **dict.fromkeys(("manager", "policy_admin", "director"), 4),
    **dict.fromkeys(("team_lead", "senior_engineer", "tech_lead"), 3),
    **dict.fromkeys(("team_member", "engineer", "developer"), 2),
    **dict.fromkeys(("guest", "readonly"), 1),
}

MAX_LEVEL = 5
MAX_CLAIMED_LEVEL = 3
"""A claim inside a token gives at most this: it was true when the token was issued. Above it somebody is asked."""


def level_of(roles: Iterable[str]) -> int:
    """The highest level among `roles`; 0 where none is known."""
    return max((LEVELS.get(role, 0) for role in roles), default=0)
