"""Plans: documents read into the domain's value, with everything wrong found at once, and written back.

    [{"skill": "http_call", "params": {...}}, ...]
    {"aos_plan": "1", "name": ..., "inputs": {...}, "budget": CENTS, "deadline_ms": ..., "defaults": {...},
     "steps": [...]}

Normalised, a plan is an object; each step has an id and says itself what `defaults` said for it.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from aos.domain.plans.plan import Plan
from aos.domain.plans.sizes import MAX_STEPS
from aos.domain.skills.skill import Catalog
from aos.errors import Finding
from aos.wire.plans.checks import PlanChecker
from aos.wire.plans.steps import (
    ALIASES,
    Draft,
    add_unknown,
    dump_step,
    is_name,
    read_defaults,
    read_step,
)
from aos.wire.shape import Field, Fields, Reader, at, is_free, shown
from aos.wire.strict import Json

__all__ = [
    "ParsedPlan",
    "changed_document",
    "document_digest",
    "dump_plan",
    "parse_plan",
    "plan_digest",
    "plan_schema",
]

_SCHEMA = Path(__file__).parent / "data" / "plan.schema.json"
_KEYS = ("aos_plan", "name", "inputs", "budget", "deadline_ms", "defaults", "steps")
_ELSEWHERE = dict.fromkeys(("tasks", "actions", "plan"), "steps")


class ParsedPlan(NamedTuple):
    """A valid plan. `notes` say what was accepted and normalised, `document` is the normal form.

    The document is `dump_plan(plan)` with the author's free keys (`x-*`, `_meta`) where they were.
    """

    plan: Plan
    notes: tuple[str, ...]
    document: dict[str, Any]


def parse_plan(
    document: Json,
    catalog: Catalog,
    *,
    name: str,
    inputs: Mapping[str, Json] | None = None,
    max_steps: int = MAX_STEPS,
) -> ParsedPlan:
    """Read a plan; `name` is what people call it ("plan.json").

    `document` is what `aos.wire.strict.parse` returns. `inputs` override and add to the plan's own.
    Raises InputError(invalid_plan) with everything that is wrong, in document order.
    """
    reader = Reader()
    fields, pointer = _outline(reader, document)
    own, overrides = _inputs(reader, fields["inputs"]), inputs or {}
    plan = Plan(
        steps=(),
        name=reader.text(fields["name"], "/name", None),
        inputs={**own, **overrides},
        budget_cents=reader.money(fields["budget"], "/budget", None),
        deadline_ms=reader.positive(fields["deadline_ms"], "/deadline_ms"),
    )
    drafts = _drafts(reader, fields, pointer, catalog, max_steps)
    checker = PlanChecker(reader, drafts, catalog.skills, plan.inputs)
    checker.check(pointer)
    _check_overrides(reader, overrides, own, checker.used_inputs)
    reader.findings = _in_document_order(reader.findings, document)
    reader.raise_if_any("invalid_plan", name)
    plan = plan._replace(steps=tuple(draft.step for draft in drafts))
    return ParsedPlan(plan, _notes(document, drafts), _with_free_keys(plan, fields, drafts))


def dump_plan(plan: Plan) -> dict[str, Any]:
    """The document that `parse_plan` reads back as the same plan; what is the default is left out."""
    stated = {
        "aos_plan": "1",
        "name": plan.name,
        "inputs": dict(plan.inputs) or None,
        "budget": _number(plan.budget_cents),
        "deadline_ms": _number(plan.deadline_ms),
        "steps": [dump_step(step) for step in plan.steps],
    }
    return {key: value for key, value in stated.items() if value is not None}


def changed_document(document: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """The normal form of `plan`, with the author's free keys of the `document` that it was changed from."""
    normal = dump_plan(plan)
    written = {step["id"]: _free(step) for step in document["steps"]}
    steps = [{**step, **written.get(step["id"], {})} for step in normal["steps"]]
    return {**normal, **_free(document), "steps": steps}


def plan_digest(plan: Plan) -> str:
    """Digest of the normalised plan without its name; inputs and ids given by position are part of it."""
    return document_digest(dump_plan(plan))


def document_digest(document: Mapping[str, Any]) -> str:
    """The digest of a plan that is in its normal form, without free keys; no catalog is needed to tell it."""
    from aos.wire.digests import digest

    exact = {key: value for key, value in document.items() if key != "name"}
    if "budget" in exact:
        exact["budget"] = Decimal(repr(exact["budget"]))
    return digest(exact)


@cache
def plan_schema() -> dict[str, Any]:
    """The JSON Schema of plan files, for editors and for whoever generates plans."""
    import json

    schema: dict[str, Any] = json.loads(_SCHEMA.read_bytes())
    return schema


# -- reading -----------------------------------------------------------------------------------------------


def _outline(reader: Reader, document: Json) -> tuple[Fields, str]:
    """The plan as an object, and where its steps stand."""
    if isinstance(document, list):
        return Fields(steps=document), ""
    if not isinstance(document, dict):
        reader.add("", "wrong_type", f"expected an array of steps or an object, got {shown(document)}")
        return Fields(), ""
    fields = reader.obj(document, "", known=_KEYS, required=("steps",), words=_ELSEWHERE)
    reader.choice(fields["aos_plan"], "/aos_plan", None, allowed=("1",))
    return fields, "/steps"


def _inputs(reader: Reader, value: Field) -> dict[str, Json]:
    fields = reader.obj(value, "/inputs")
    for key in fields:
        if not is_name(key):
            detail = "no reference can name it: an input is called by 1 to 64 letters, digits, _ and -"
            reader.add(at("/inputs", key), "bad_value", detail)
    return cast(dict[str, Json], dict(fields))


def _drafts(reader: Reader, fields: Fields, pointer: str, catalog: Catalog, max_steps: int) -> list[Draft]:
    defaults = read_defaults(reader, fields["defaults"])
    steps = fields["steps"]
    if isinstance(steps, list) and len(steps) > max_steps:
        reader.add(pointer, "too_many_steps", f"{len(steps):,} steps; the limit is {max_steps:,}")
        return []
    if steps == []:
        reader.add(pointer, "bad_value", "a plan has at least one step")
    return [
        read_step(reader, step, at(pointer, i), i, defaults, catalog.skills)
        for i, step in enumerate(reader.array(steps, pointer, max_len=max_steps))
    ]


def _check_overrides(
    reader: Reader, overrides: Mapping[str, Json], own: Mapping[str, Json], used: set[str]
) -> None:
    """An input from outside that the plan neither has nor refers to is a slip of the pen."""
    known = used.union(own)
    for name in overrides:
        if name not in known:
            add_unknown(reader, "", "unknown_input", "input", name, known)


def _notes(document: Json, drafts: list[Draft]) -> tuple[str, ...]:
    notes = []
    if isinstance(document, dict) and "aos_plan" not in document:
        notes.append('no "aos_plan": read as version "1"')
    for alias, meant in ALIASES.items():
        count = sum(alias in draft.fields for draft in drafts)
        if count:
            notes.append(f'"{alias}" is read as "{meant}" in {count} {"step" if count == 1 else "steps"}')
    return tuple(notes)


def _with_free_keys(plan: Plan, fields: Fields, drafts: list[Draft]) -> dict[str, Any]:
    normal = dump_plan(plan)
    steps = [{**step, **draft.free} for step, draft in zip(normal["steps"], drafts, strict=True)]
    return {**normal, **_free(fields), "steps": steps}


def _free(stated: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stated.items() if is_free(key)}


def _number(value: Decimal | float | None) -> int | float | None:
    """A limit as JSON says it: a budget has at most 6 decimals and 15 digits, so a double is exact enough."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _in_document_order(findings: list[Finding], document: Json) -> list[Finding]:
    """Sorted by where they point to; those of one place stay as they were."""
    ranks: dict[int, dict[str, int]] = {}  # of the keys of each object, by its identity

    def place(finding: Finding) -> list[int]:
        value, ranked = document, []
        for token in finding.pointer.split("/")[1:]:
            if isinstance(value, list):
                rank = int(token)
                value = value[rank]
            elif isinstance(value, dict):
                if id(value) not in ranks:
                    ranks[id(value)] = {key: i for i, key in enumerate(value)}
                key = token.replace("~1", "/").replace("~0", "~")
                rank = ranks[id(value)][key]
                value = value[key]
            ranked.append(rank)
        return ranked

    return sorted(findings, key=place)
