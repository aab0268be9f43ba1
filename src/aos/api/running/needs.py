"""What a plan needs before its first step: something that carries out each skill, and the secrets."""

from collections.abc import Container, Iterator, Mapping

from aos.domain.plans.plan import Plan, Step
from aos.domain.plans.references import references
from aos.domain.skills.skill import Catalog
from aos.errors import Finding, InputError
from aos.runtime.masking import MIN_SECRET
from aos.runtime.replies import Foreign
from aos.runtime.secrets import variable
from aos.runtime.skills import Implementation
from aos.runtime.skills.registry import flaw_of, implementations, key_of, why_not
from aos.runtime.skills.world import World
from aos.wire.problems import visible

__all__ = ["carried_out_by", "check_secrets"]


def carried_out_by(
    plan: Plan, catalog: Catalog, world: World, own: Mapping[str, Implementation]
) -> Mapping[str, Implementation]:
    """Those of the skills that the plan calls, the caller's `own` first.

    Raises InputError(not_implemented) with every step whose skill nothing carries out.
    """
    used = [catalog.skills[name] for name in dict.fromkeys(step.skill for step in plan.steps)]
    can = implementations([skill for skill in used if skill.id not in own], world)
    can |= {skill.id: Foreign(own[skill.id], skill) for skill in used if skill.id in own}
    missing = [
        Finding(
            f"/steps/{i}/skill",
            "not_implemented",
            f'nothing here carries out "{step.skill}": {visible(why_not(step.skill, world), 200)}',
        )
        for i, step in enumerate(plan.steps)
        if step.skill not in can
    ]
    if missing:
        raise InputError.of("not_implemented", "the plan", missing)
    return can


def check_secrets(
    plan: Plan, world: World, own: Container[str] = (), done: Container[str] = frozenset()
) -> None:
    """Raise InputError(secret_missing) with every secret that a step needs and that is not there, or no use.

    The skills in `own` are the caller's, who knows what they need; steps that are `done` need nothing any more.
    """
    missing = [
        Finding(pointer, "secret_missing", wrong)
        for i, step in enumerate(plan.steps)
        if step.id not in done
        for pointer, name in _named(f"/steps/{i}", step, world, own)
        if (wrong := _amiss(name, world.secrets.get(name), None if "/params" in pointer else step.skill))
    ]
    if missing:
        raise InputError.of("secret_missing", "the plan", missing)


def _amiss(name: str, secret: str | None, skill: str | None) -> str | None:
    """What is wrong with a secret: that of the `skill` itself has to be of a form that it can work with."""
    if secret is None:
        return f'there is no secret "{name}" of {MIN_SECRET} characters or more ({variable(name)})'
    flaw = flaw_of(skill, secret) if skill else None
    return f'the secret "{name}" ({variable(name)}) is {flaw}' if flaw else None


def _named(at: str, step: Step, world: World, own: Container[str]) -> Iterator[tuple[str, str]]:
    """The secrets of a step: those that its parameters refer to, and the one that its skill works with."""
    for pointer, reference in references(dict(step.params)):
        if reference.kind == "secrets":
            yield f"{at}/params{pointer}", reference.name
    if step.skill not in own and (key := key_of(step.skill, step.params, world)):
        yield at, key
