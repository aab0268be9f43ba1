"""One step of a plan: its JSON read into the domain's value and written back, without a look at other steps."""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, cast

from aos.domain.plans.plan import Expect, OnError, Outcome, RetryOverride, Step, When
from aos.domain.plans.sizes import MAX_ITEMS, MAX_ITERATIONS, MAX_STEPS_API
from aos.domain.skills.skill import Skill
from aos.wire.shape import MISSING, Field, Fields, Missing, Reader, at, closest, did_you_mean, is_free, shown
from aos.wire.strict import Json

__all__ = [
    "ALIASES",
    "Defaults",
    "Draft",
    "add_unknown",
    "dump_step",
    "is_name",
    "read_defaults",
    "read_step",
]

APPROVAL_LEVEL = 2
"""What `approval: true` asks for: the lowest level at which a person decides (level 1 is a policy's)."""

ALIASES = {"skill_id": "skill", "inputs": "params"}

_COMPARISONS = 10_000
_MOST_SHOWN = 50
_KEYS = (
    *("id", "skill", "params", "needs", "when", "on_error", "retry", "timeout_s", "iterations"),
    *("for_each", "expect", "approval", *ALIASES),
)
_ELSEWHERE = {
    **dict.fromkeys(("dependson", "depends", "after", "requires"), "needs"),
    **dict.fromkeys(("args", "arguments", "with", "input"), "params"),
    **dict.fromkeys(("tool", "toolname", "action", "function", "uses"), "skill"),
    **dict.fromkeys(("if", "condition"), "when"),
    **dict.fromkeys(("loop", "items"), "for_each"),
    "onfailure": "on_error",
    "stepid": "id",
}
"""What other formats call the keys, and therefore models and people too."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
_WHEN = r'\s*steps\.([A-Za-z0-9_-]+)\.outcome\s*==\s*"(succeeded|failed|skipped)"\s*'


class Defaults(NamedTuple):
    """What `defaults` says for steps that are silent themselves."""

    on_error: OnError = OnError()
    retry: RetryOverride = RetryOverride()
    timeout_s: float | None = None


class Draft(NamedTuple):
    """A step as far as it could be read, and where it stands; `fields` is what stands there.

    `params` is where its parameters stand, or would stand; None where they are no object.
    """

    step: Step
    pointer: str
    params: str | None
    fields: Fields

    @property
    def free(self) -> dict[str, Any]:
        """The author's own keys."""
        return {key: value for key, value in self.fields.items() if is_free(key)}


def is_name(text: str) -> bool:
    """Whether references can name it: 1 to 64 letters, digits, `_` and `-`."""
    return _NAME(text) is not None


def add_unknown(
    reader: Reader, pointer: str, code: str, what: str, name: str, known: Collection[str]
) -> None:
    """Add a finding: there is no `what` of that name, and perhaps this one was meant."""
    # Comparing takes time, and a plan may be wrong everywhere.
    worth_a_guess = len(reader.findings) * len(known) < _COMPARISONS
    meant = closest(name, known) if worth_a_guess else None
    allowed = sorted(known) if len(known) <= _MOST_SHOWN else ()
    detail = f"unknown {what} {shown(name)}{did_you_mean(meant)}"
    reader.add(pointer, code, detail, allowed=allowed, suggestion=meant)


def read_defaults(reader: Reader, value: Field) -> Defaults:
    """The plan's `defaults`. A fallback is no default: it belongs to one step."""
    fields = reader.obj(value, "/defaults", known=("on_error", "retry", "timeout_s"))
    action = reader.choice(fields["on_error"], "/defaults/on_error", "fail", allowed=("fail", "continue"))
    return Defaults(
        OnError("continue" if action == "continue" else "fail"),
        _retry(reader, fields["retry"], "/defaults/retry") or RetryOverride(),
        reader.positive(fields["timeout_s"], "/defaults/timeout_s"),
    )


def read_step(
    reader: Reader, value: Json, pointer: str, position: int, defaults: Defaults, skills: Mapping[str, Skill]
) -> Draft:
    """The step at `position` (0, 1, ...); whatever is wrong with it alone is a finding."""
    fields = reader.obj(value, pointer, known=_KEYS, words=_ELSEWHERE)
    name = _aliased(reader, fields, pointer, "skill")
    if isinstance(value, dict) and fields[name] is MISSING:
        reader.add(pointer, "missing_key", 'the key "skill" is missing')
    skill = _skill(reader, fields[name], at(pointer, name), skills)
    params = _aliased(reader, fields, pointer, "params")
    for_each = _for_each(reader, fields["for_each"], at(pointer, "for_each"))
    step = Step(
        id=_id(reader, fields["id"], at(pointer, "id"), f"s{position + 1}"),
        skill=skill,
        params=dict(reader.obj(fields[params], at(pointer, params))),
        needs=_needs(reader, fields["needs"], at(pointer, "needs")),
        when=_when(reader, fields["when"], at(pointer, "when")),
        on_error=_on_error(reader, fields["on_error"], at(pointer, "on_error"), defaults.on_error),
        retry=_tightened(reader, fields["retry"], at(pointer, "retry"), defaults.retry, skills.get(skill)),
        timeout_s=reader.positive(fields["timeout_s"], at(pointer, "timeout_s")) or defaults.timeout_s,
        iterations=reader.integer(
            fields["iterations"], at(pointer, "iterations"), 1, low=1, high=MAX_ITERATIONS
        ),
        for_each=for_each,
        expect=_expect(reader, fields["expect"], at(pointer, "expect"), for_each),
        approval=_approval(reader, fields["approval"], at(pointer, "approval")),
    )
    place = at(pointer, params) if params in fields else pointer
    return Draft(step, pointer, place if isinstance(fields[params], dict | Missing) else None, fields)


def dump_step(step: Step) -> dict[str, Any]:
    """The JSON object that `read_step` reads back as the same step; what is the default is left out."""
    override = step.retry and {key: v for key, v in step.retry._asdict().items() if v is not None}
    on_error = f"fallback:{step.on_error.fallback}" if step.on_error.fallback else step.on_error.action
    stated = {
        "id": step.id,
        "skill": step.skill,
        "params": dict(step.params),
        "needs": None if step.needs is None else list(step.needs),
        "when": step.when and f'steps.{step.when.step}.outcome == "{step.when.outcome}"',
        "on_error": None if on_error == "fail" else on_error,
        "retry": override,
        "timeout_s": step.timeout_s,
        "iterations": None if step.iterations == 1 else step.iterations,
        "for_each": list(step.for_each) if isinstance(step.for_each, tuple) else step.for_each,
        "expect": step.expect and {"items": _dump_items(step.expect)},
        "approval": step.approval,
    }
    return {key: value for key, value in stated.items() if value is not None}


def _dump_items(expect: Expect) -> Any:
    return expect.p50 if expect.p50 == expect.p90 else expect._asdict()


# -- one function per key --------------------------------------------------------------------------------


def _aliased(reader: Reader, fields: Fields, pointer: str, name: str) -> str:
    """The key under which the step says it."""
    alias = next(alias for alias, meant in ALIASES.items() if meant == name)
    if alias not in fields:
        return name
    if name in fields:
        reader.add(at(pointer, alias), "duplicate_key", f'"{alias}" says the same as "{name}": keep "{name}"')
        return name
    return alias


def _skill(reader: Reader, value: Field, pointer: str, skills: Mapping[str, Skill]) -> str:
    name = reader.text(value, pointer, "")
    if isinstance(value, str) and name not in skills:
        add_unknown(reader, pointer, "unknown_skill", "skill", name, skills)
    return name


def _id(reader: Reader, value: Field, pointer: str, default: str) -> str:
    name = reader.text(value, pointer, default)
    if is_name(name):
        return name
    reader.add(pointer, "bad_value", f"{shown(name)} is no id: 1 to 64 letters, digits, _ and -")
    return default


def _needs(reader: Reader, value: Field, pointer: str) -> tuple[str, ...] | None:
    if value is MISSING:
        return None
    items = reader.array(value, pointer, max_len=MAX_STEPS_API)
    # A wrong item leaves a gap, so that positions here are positions in the document.
    return tuple(_need(reader, item, at(pointer, i)) for i, item in enumerate(items))


def _need(reader: Reader, value: Json, pointer: str) -> str:
    if value == "":
        reader.add(pointer, "bad_value", "an id is 1 to 64 letters, digits, _ and -")
    return reader.text(value, pointer, "")


def _when(reader: Reader, value: Field, pointer: str) -> When | None:
    text = reader.text(value, pointer, None)
    if text is None:
        return None
    if match := re.fullmatch(_WHEN, text):
        return When(match[1], cast(Outcome, match[2]))
    reader.add(
        pointer,
        "bad_value",
        f'{shown(text)}: write steps.ID.outcome == "succeeded", or "failed", or "skipped"',
    )
    return None


def _on_error(reader: Reader, value: Field, pointer: str, default: OnError) -> OnError:
    text = reader.text(value, pointer, None)
    if text is None:
        return default
    action, colon, target = text.partition(":")
    if action == "fallback" and colon and is_name(target):
        return OnError("fallback", target)
    if text in ("fail", "continue"):
        return OnError("continue" if text == "continue" else "fail")
    allowed = ("fail", "continue", "fallback:ID")
    reader.add(pointer, "bad_value", f"{shown(text)} is not one of {', '.join(allowed)}", allowed=allowed)
    return default


def _retry(reader: Reader, value: Field, pointer: str) -> RetryOverride | None:
    if value is MISSING:
        return None
    fields = reader.obj(value, pointer, known=RetryOverride._fields)
    return RetryOverride(
        reader.integer(fields["max_attempts"], at(pointer, "max_attempts"), None, low=1),
        reader.number(fields["backoff_ms"], at(pointer, "backoff_ms"), None, low=0),
        reader.number(fields["max_backoff_ms"], at(pointer, "max_backoff_ms"), None, low=0),
    )


def _tightened(
    reader: Reader, value: Field, pointer: str, default: RetryOverride, skill: Skill | None
) -> RetryOverride | None:
    """The step's figures, or the defaults where those are tighter than the catalog's."""
    own = _retry(reader, value, pointer) or RetryOverride()
    if skill is None:
        return None
    figures: dict[str, Any] = {}
    for key in RetryOverride._fields:
        limit = getattr(skill.retry, key)
        stated, usual = getattr(own, key), getattr(default, key)
        if stated is not None and stated > limit:
            detail = f"{stated} is above the {limit:g} of {skill.id}; a plan may only tighten it"
            reader.add(at(pointer, key), "retry_widened", detail)
        figures[key] = usual if stated is None and usual is not None and usual < limit else stated
    return None if not any(v is not None for v in figures.values()) else RetryOverride(**figures)


def _for_each(reader: Reader, value: Field, pointer: str) -> tuple[Json, ...] | str | None:
    if isinstance(value, list):
        return tuple(reader.array(value, pointer, max_len=MAX_ITEMS))
    if not isinstance(value, str | Missing):
        reader.add(pointer, "wrong_type", f"expected an array or a reference, got {shown(value)}")
    return value if isinstance(value, str) else None


def _expect(
    reader: Reader, value: Field, pointer: str, for_each: tuple[Json, ...] | str | None
) -> Expect | None:
    if value is MISSING:
        return None
    if not isinstance(for_each, str):
        reader.add(pointer, "bad_value", "`expect` belongs to a `for_each` whose items are not known yet")
    fields = reader.obj(value, pointer, known=("items",), required=("items",))
    items, pointer = fields["items"], at(pointer, "items")
    if not isinstance(items, dict):
        exact = reader.integer(items, pointer, None, low=0, high=MAX_ITEMS)
        return None if exact is None else Expect(exact, exact)
    quantiles = reader.obj(items, pointer, known=Expect._fields, required=Expect._fields)
    p50 = reader.positive(quantiles["p50"], at(pointer, "p50"))
    p90 = reader.number(quantiles["p90"], at(pointer, "p90"), None, low=p50 or 0, high=MAX_ITEMS)
    return None if p50 is None or p90 is None else Expect(p50, p90)


def _approval(reader: Reader, value: Field, pointer: str) -> int | None:
    if isinstance(value, bool):
        return APPROVAL_LEVEL if value else None
    return reader.integer(value, pointer, None, low=1, high=5)
