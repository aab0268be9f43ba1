"""A single call, read as the plan that it is: the short way for what has nothing wrong, and refers to nothing."""

from collections.abc import Mapping

from aos.domain.plans.plan import MAIN_INPUTS, Plan, Step
from aos.domain.skills.skill import Catalog
from aos.wire.plans.parameters import known_validator
from aos.wire.strict import Json

__all__ = ["plain_call"]

_VALUES = 200
_LONG = 100


def plain_call(skill: str, params: Mapping[str, Json], catalog: Catalog) -> Plan | None:
    """What `parse_plan` makes of `[{"skill": skill, "params": params}]`, in a fraction of the time.

    None where it can't tell: something is wrong, or a text may refer to something, or there is much of it. Then ask
    `parse_plan`.
    """
    known, main = catalog.skills.get(skill), MAIN_INPUTS.get(skill)
    if known is None or (main is not None and main not in params) or not _plain(params):
        return None
    if not known_validator(known.input_schema).is_valid(params):
        return None
    return Plan((Step("s1", skill, params),))


def _plain(params: Mapping[str, Json]) -> bool:
    """Whether no text in it opens a reference, each key has a name, and reading it takes no time to speak of."""
    left, waiting = _VALUES, [params]
    while waiting and left > 0:
        match value := waiting.pop():
            case dict():
                left -= sum(1 + len(key) // _LONG for key in value)
                waiting += value.values()
                if "" in value:
                    return False
            case list():
                left -= len(value)
                waiting += value
            case str():
                left -= len(value) // _LONG
                if "${" in value:
                    return False
    return left > 0
