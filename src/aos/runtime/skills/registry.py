"""Which skills can be carried out, and by what."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from aos.domain.distributions import Constant
from aos.domain.skills import CallCost, Skill
from aos.runtime.guards import GuardError
from aos.runtime.skills import Call, Fault, Implementation, Reply
from aos.runtime.skills.world import World
from aos.wire.problems import visible

__all__ = ["BUILT_IN", "implementations"]

BUILT_IN: Mapping[str, str] = {
    name: f"aos.runtime.skills.{name}" for name in ("fs_read", "fs_write", "http_call", "json_transform")
}
"""Skill id to the module whose `implementation(skill, world)` makes it. A module is loaded when its skill is needed."""


def implementations(skills: Iterable[Skill], world: World) -> dict[str, Implementation]:
    """Those of `skills` (their descriptors: a catalog may tighten limits) that can be carried out, by id."""
    return {skill.id: _Answering(_built_in(skill, world), skill) for skill in skills if skill.id in BUILT_IN}


def _built_in(skill: Skill, world: World) -> Implementation:
    make: Callable[[Skill, World], Implementation] = importlib.import_module(
        BUILT_IN[skill.id]
    ).implementation
    return make(skill, world)


class _Answering(NamedTuple):
    """A skill whose failures are replies, and whose price is the one that its descriptor declares."""

    carry_out: Implementation
    skill: Skill

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        try:
            reply = self.carry_out(params, call)
        except GuardError as error:
            fault = Fault(error.code, visible(error.detail, 500), error.retry_after_ms)
            reply = Reply(fault=fault, effect=error.effect)
        return reply._replace(cost_cents=_declared_price(self.skill, reply.fault))


def _declared_price(skill: Skill, fault: Fault | None) -> Decimal | None:
    """Cents of one attempt, where the descriptor states a single figure; None: nobody knows."""
    for mode in skill.failures or ():
        if fault and mode.code == fault.code and not mode.charged:
            return Decimal(0)
    cost = skill.cost
    if not isinstance(cost, CallCost) or cost.per_ms or not isinstance(cost.per_attempt.value, Constant):
        return None
    return Decimal(repr(cost.per_attempt.value.value).removesuffix(".0"))
