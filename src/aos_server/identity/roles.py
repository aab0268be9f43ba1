"""Roles to levels: the highest level that a role may approve."""

from collections.abc import Iterable, Mapping

from aos.domain.approvals.requests import MAX_CLAIMED_LEVEL, MAX_LEVEL

__all__ = ["LEVELS", "MAX_CLAIMED_LEVEL", "MAX_LEVEL", "level_of"]

LEVELS: Mapping[str, int] = {
    **dict.fromkeys(("owner", "admin"), 5),
    **dict.fromkeys(("manager", "policy_admin", "director"), 4),
    **dict.fromkeys(("team_lead", "senior_engineer", "tech_lead"), 3),
    **dict.fromkeys(("team_member", "engineer", "developer"), 2),
    **dict.fromkeys(("guest", "readonly"), 1),
}


def level_of(roles: Iterable[str]) -> int:
    """The highest level among `roles`; 0 where none is known."""
    return max((LEVELS.get(role, 0) for role in roles), default=0)
