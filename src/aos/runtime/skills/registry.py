"""Which skills can be carried out, by what, and within which limits."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast

from aos.domain.runs.outcomes import Effect
from aos.domain.skills.distributions import Constant
from aos.domain.skills.skill import CallCost, Skill
from aos.errors import Finding, InputError
from aos.runtime.guards import GuardError
from aos.runtime.replies import Foreign
from aos.runtime.skills import Call, Fault, Implementation, Reply
from aos.runtime.skills.world import World
from aos.wire.problems import visible

__all__ = ["BUILT_IN", "ENTRY_POINTS", "failed", "flaw_of", "implementations", "key_of", "limit", "why_not"]

BUILT_IN = ("email_send", "fs_read", "fs_write", "http_call", "json_transform", "llm_invoke", "webhook_send")
"""Skills of the shipped catalog. Each has a module of its name, loaded when it is needed, whose
`implementation(skill, world)` makes it or says None where the world has not what it needs; where it has a
`key(params, world)`, that names the secret which the skill works with, None for none."""

_SET_UP = {"email_send": "mail", "llm_invoke": "chat"}
"""What has to be set up for a built-in skill."""

ENTRY_POINTS = "aos.skills"
"""The group in which a Python package names its own skills: `my_skill = "package.module:function"`."""


def implementations(skills: Iterable[Skill], world: World) -> dict[str, Implementation]:
    """Those of `skills` (their descriptors: a catalog may tighten limits) that can be carried out, by id.

    A built-in one is what the catalog calls it, whatever else has its name; then `world.commands` count, then entry
    points. What they return may hold secrets: mask it before it is shown or recorded.
    """
    made = ((skill, _made(skill, world)) for skill in skills)
    return {skill.id: _Answering(carry_out, skill) for skill, carry_out in made if carry_out}


def key_of(skill: str, params: Mapping[str, Any], world: World) -> str | None:
    """The secret by name that a built-in skill works with, beside those that its parameters refer to."""
    if skill not in BUILT_IN:
        return None
    key = getattr(importlib.import_module(f"aos.runtime.skills.{skill}"), "key", None)
    return cast("str | None", key(params, world)) if key else None


def flaw_of(skill: str, secret: str) -> str | None:
    """Why the secret that a built-in skill works with is no use to it, in words that don't show it."""
    flaw = getattr(importlib.import_module(f"aos.runtime.skills.{skill}"), "flaw", None)
    return cast("str | None", flaw(secret)) if flaw else None


def limit(skill: Skill, name: str, usual: int) -> int:
    """A whole number from a descriptor's constraints, `usual` without one. Raises InputError(invalid_catalog)."""
    stated = skill.constraints.get(name, usual)
    if isinstance(stated, bool) or not isinstance(stated, int) or stated < 0:
        finding = Finding(
            f"/skills/{skill.id}/constraints/{name}", "wrong_type", "not a whole number from 0 on"
        )
        raise InputError.of("invalid_catalog", "catalog", [finding])
    return stated


def failed(error: GuardError, *, effect: Effect | None, cost_cents: Decimal | None = Decimal(0)) -> Reply:
    """The reply that tells of `error`, control characters of strangers made visible."""
    fault = Fault(error.code, visible(error.detail, 500), error.retry_after_ms)
    return Reply(fault=fault, effect=effect, cost_cents=cost_cents)


def _made(skill: Skill, world: World) -> Implementation | None:
    if skill.id in BUILT_IN:
        module = importlib.import_module(f"aos.runtime.skills.{skill.id}")
        make: Callable[[Skill, World], Implementation | None] = module.implementation
        return make(skill, world)
    if skill.id in world.commands:
        from aos.runtime.skills.command import implementation

        return implementation(skill, world)
    try:
        function = _entry_point(skill.id)
    except Exception:
        return None  # `why_not` says what was wrong
    return Foreign(function, skill) if callable(function) else None


def _entry_point(skill: str) -> Any:
    """What another package names for the skill; None where none does. Raises whatever loading it does."""
    from importlib.metadata import entry_points

    point = next(iter(entry_points(group=ENTRY_POINTS, name=skill)), None)
    return point and point.load()


def why_not(skill: str, world: World) -> str:
    """Why nothing here carries the skill out, as far as anybody can tell."""
    if skill in _SET_UP:
        return f"`{_SET_UP[skill]}` under [run] in aos.toml is not set"
    if skill in world.commands:
        return f"{world.commands[skill].words[0]} is no program that can be found"
    try:
        found = _entry_point(skill)
    except Exception as error:
        return f"its entry point can't be loaded: {type(error).__name__}: {error}"
    return (
        "its entry point is no function" if found else "there is neither a program nor an entry point for it"
    )


class _Answering(NamedTuple):
    """A skill whose failures are replies, and priced as its descriptor declares."""

    carry_out: Implementation
    skill: Skill

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        try:
            reply = self.carry_out(params, call)
        except GuardError as error:
            reply = failed(error, effect=error.effect)
        if isinstance(self.skill.cost, CallCost) and reply.cost_cents == 0:
            reply = reply._replace(cost_cents=_declared_price(self.skill, self.skill.cost, reply.fault))
        return reply


def _declared_price(skill: Skill, cost: CallCost, fault: Fault | None) -> Decimal | None:
    """Cents of one attempt, where the descriptor states a single figure; None: nobody knows."""
    for mode in skill.failures or ():
        if fault and mode.code == fault.code and not mode.charged:
            return Decimal(0)
    if cost.per_ms or not isinstance(cost.per_attempt.value, Constant):
        return None
    return Decimal(repr(cost.per_attempt.value.value).removesuffix(".0"))
