"""The limits that a descriptor states under `constraints`."""

from aos.domain.skills import Skill
from aos.errors import Finding, InputError

__all__ = ["limit"]


def limit(skill: Skill, name: str, usual: int) -> int:
    """A whole number from `constraints`, `usual` where it is silent. Raises InputError(invalid_catalog)."""
    stated = skill.constraints.get(name, usual)
    if isinstance(stated, bool) or not isinstance(stated, int) or stated < 0:
        finding = Finding(
            f"/skills/{skill.id}/constraints/{name}", "wrong_type", "not a whole number from 0 on"
        )
        raise InputError.of("invalid_catalog", "catalog", [finding])
    return stated
