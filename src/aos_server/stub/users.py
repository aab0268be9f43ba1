"""The sample people of development. They are the same in every tenant."""

from collections.abc import Mapping

__all__ = ["USERS"]

USERS: Mapping[str, tuple[str, ...]] = {
    "low_level_user": ("readonly",),
    "dev": ("developer",),
    "user123": ("team_member",),
    "manager1": ("manager",),
    "owner1": ("owner",),
}
"""Roles by user id: levels 1, 2, 2, 4 and 5."""
