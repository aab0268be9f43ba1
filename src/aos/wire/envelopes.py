"""Envelopes of approvals as JSON documents, and the changes of a plan that void one."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

from aos.domain.approvals.envelopes import Departure, Envelope, Held, Reach
from aos.domain.approvals.levels import LEVELS
from aos.domain.approvals.policies import PolicyDecision
from aos.domain.forecasts.verdicts import MAX_SAMPLES
from aos.domain.plans.matching import matches, under_the_names_of
from aos.domain.plans.plan import Plan
from aos.domain.plans.sizes import MAX_STEPS_API
from aos.wire.catalogs.descriptors import read_effects
from aos.wire.plans.changes import plan_changes, step_changes
from aos.wire.shape import Field, Reader, at, or_missing
from aos.wire.strict import Json

__all__ = ["changed", "dump_departure", "dump_envelope", "envelope_digest", "parse_envelope"]

_VERSION = "1"
_DECISIONS = ("allow", "requires_approval", "deny")
_MAX_NAMES = 1_000


def dump_envelope(approved: Envelope) -> dict[str, Any]:
    """The document that `parse_envelope` reads back as the same envelope; null is unknown, or not asked for."""
    budget = approved.budget_cents
    return {
        "aos_envelope": _VERSION,
        "plan_digest": approved.plan,
        "catalog_contract_digest": approved.contract,
        "policy_digest": approved.policy,
        "decision": approved.decision,
        "level": approved.level,
        "samples": approved.samples,
        "budget_cents": None if budget is None else format(budget, "f"),
        "cost_p95_cents": approved.cost._asdict(),
        "duration_p95_ms": approved.time._asdict(),
        "success": approved.success._asdict(),
        "risks": list(approved.risks),
        "reach": [
            {
                "step": one.step,
                "skill": one.skill,
                "effects": one.effects._asdict(),
                "targets": list(one.targets),
                "secrets": list(one.secrets),
            }
            for one in approved.reach
        ],
    }


def envelope_digest(approved: Envelope) -> str:
    """What a person who approves it can name: the digest of the whole document."""
    from aos.wire.digests import digest

    return digest(dump_envelope(approved))


def parse_envelope(document: Json) -> Envelope:
    """Read an envelope. Raises InputError(invalid_request) with everything wrong with it; every key must be there."""
    reader = Reader()
    keys = tuple(dump_envelope(_NOTHING))
    fields = reader.obj(document, "", known=keys, required=keys)
    reader.choice(fields["aos_envelope"], "/aos_envelope", None, allowed=(_VERSION,))
    found = Envelope(
        plan=reader.text(fields["plan_digest"], "/plan_digest", ""),
        contract=reader.text(fields["catalog_contract_digest"], "/catalog_contract_digest", ""),
        policy=reader.text(or_missing(fields["policy_digest"]), "/policy_digest", None),
        decision=cast(
            PolicyDecision | None,
            reader.choice(or_missing(fields["decision"]), "/decision", None, allowed=_DECISIONS),
        ),
        level=reader.integer(or_missing(fields["level"]), "/level", None, low=LEVELS[0], high=LEVELS[-1]),
        samples=reader.integer(fields["samples"], "/samples", 1, low=1, high=MAX_SAMPLES),
        budget_cents=_cents(reader, or_missing(fields["budget_cents"])),
        cost=_held(reader, fields["cost_p95_cents"], "/cost_p95_cents"),
        time=_held(reader, fields["duration_p95_ms"], "/duration_p95_ms"),
        success=_held(reader, fields["success"], "/success", high=1),
        risks=reader.texts(fields["risks"], "/risks", max_len=_MAX_NAMES),
        reach=tuple(_reach(reader, fields["reach"])),
    )
    reader.raise_if_any("invalid_request", "the envelope")
    return found


def changed(approved: Plan, now: Plan) -> tuple[Departure, ...]:
    """Every value of a plan that is another one than was approved, under the names that the approved plan has."""
    same = matches(approved, now)
    steps = under_the_names_of(approved, now, same)
    places = {step.id: i for i, step in enumerate(approved.steps)}
    found = [change for change in plan_changes(approved, now) if change.pointer not in ("/name", "/steps")]
    told = [_changed(one.pointer, one.before, one.after) for one in found]
    for i, _, changes in step_changes(approved.steps, steps):
        told += [_changed(f"/steps/{i}{one.pointer}", one.before, one.after) for one in changes]
    for j, step in enumerate(steps):
        if step.id not in places:
            told.append(_changed(f"/steps/{j}", None, step.skill))
    for i in sorted(set(range(len(approved.steps))) - set(same.values())):
        told.append(_changed(f"/steps/{i}", approved.steps[i].skill, None))
    return tuple(told)


def dump_departure(one: Departure) -> dict[str, Any]:
    """What has left the envelope: code, pointer, was, now, tolerated, detail."""
    return {key: str(value) if isinstance(value, Decimal) else value for key, value in one._asdict().items()}


def _changed(pointer: str, was: Any, now: Any) -> Departure:
    verb = "is new" if was is None else "is gone" if now is None else "is another"
    return Departure("plan_changed", pointer, was, now, None, f"{pointer} {verb}")


# -- reading -----------------------------------------------------------------------------------------------


def _cents(reader: Reader, value: Field) -> Decimal | None:
    text = reader.text(value, "/budget_cents", None)
    if text is None:
        return None
    if re.fullmatch(r"(0|[1-9]\d{0,14})(\.\d{1,6})?", text, re.ASCII) is None:
        reader.add("/budget_cents", "bad_value", "expected an amount of cents as text")
        return None
    return Decimal(text)


def _held(reader: Reader, value: Field, pointer: str, high: float | None = None) -> Held:
    fields = reader.obj(value, pointer, known=Held._fields, required=Held._fields)
    return Held(
        reader.number(fields["value"], f"{pointer}/value", 0.0, low=0, high=high),
        reader.flag(fields["known"], f"{pointer}/known", False),
    )


def _reach(reader: Reader, value: Field) -> Iterator[Reach]:
    for i, one in enumerate(reader.array(value, "/reach", max_len=MAX_STEPS_API)):
        here = at("/reach", i)
        fields = reader.obj(one, here, known=Reach._fields, required=Reach._fields)
        yield Reach(
            step=reader.text(fields["step"], f"{here}/step", ""),
            skill=reader.text(fields["skill"], f"{here}/skill", ""),
            effects=read_effects(reader, fields["effects"], f"{here}/effects"),
            targets=reader.texts(fields["targets"], f"{here}/targets", max_len=_MAX_NAMES),
            secrets=reader.texts(fields["secrets"], f"{here}/secrets", max_len=_MAX_NAMES),
        )


_UNSAID = Held(0, False)
_NOTHING = Envelope("", "", None, None, None, 1, None, _UNSAID, _UNSAID, _UNSAID, (), ())
