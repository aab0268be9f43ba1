"""What only shows when all steps of a plan are known: names, references, order, fallbacks, parameters."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from aos.domain.plans.plan import MAIN_INPUTS, CycleError, OnError, Step, comes_after, order
from aos.domain.plans.references import Reference, parse, strings
from aos.domain.plans.sizes import MAX_INSTANCES, MAX_ITEMS
from aos.domain.skills.skill import Skill
from aos.wire.plans.parameters import NOWHERE, check_params, in_words, known_validator, value_at
from aos.wire.plans.queries import fault
from aos.wire.plans.steps import Draft, add_unknown
from aos.wire.problems import visible
from aos.wire.shape import Reader, at, shown

__all__ = ["PlanChecker"]

_MOST_CYCLES = 20
_QUERY_CHARACTERS = 65_536  # of a plan, parsed in 0.2 s
_SCALARS = ("string", "integer", "number", "boolean", "null")


class PlanChecker:
    """Adds what is wrong with the steps together to the reader's findings.

    `inputs` are the plan's, overridden by the caller's. `used_inputs` are the names of those referred to.
    """

    def __init__(
        self,
        reader: Reader,
        drafts: Sequence[Draft],
        skills: Mapping[str, Skill],
        inputs: Mapping[str, Any],
    ) -> None:
        self._reader = reader
        self._drafts = drafts
        self._steps = [draft.step for draft in drafts]
        self._skills = skills
        self._inputs = dict(inputs)
        self._index: dict[str, int] = {}
        self._fallback_of: dict[int, int] = {}
        self._query_characters = _QUERY_CHARACTERS
        self.used_inputs: set[str] = set()

    def check(self, pointer: str) -> None:
        """Check everything; `pointer` is where the list of steps stands."""
        self._check_ids()
        self._check_fallbacks()
        self._check_cycles([self._edges(i) for i in range(len(self._drafts))])
        self._check_instances(pointer)
        for i, draft in enumerate(self._drafts):
            skill = self._skills.get(draft.step.skill)
            if skill and draft.params is not None:
                self._check_main_input(i, draft, draft.params)
                self._check_params(draft.step, skill, draft.params)
                if draft.step.skill == "json_transform":
                    self._check_query(draft.step.params.get("query"), at(draft.params, "query"))

    def _check_ids(self) -> None:
        for i, draft in enumerate(self._drafts):
            name = draft.step.id
            first = self._index.setdefault(name, i)
            if first != i:
                where = at(draft.pointer, "id") if "id" in draft.fields else draft.pointer
                detail = f'"{name}" is step {first + 1} already; without an id step {i + 1} is "s{i + 1}"'
                self._reader.add(where, "duplicate_id", detail)

    def _check_fallbacks(self) -> None:
        for i, draft in enumerate(self._drafts):
            name = draft.step.on_error.fallback
            if name is None:
                continue
            pointer = at(draft.pointer, "on_error")
            target = self._index.get(name)
            if target is None:
                add_unknown(self._reader, pointer, "unknown_step", "step", name, self._index)
            elif target == i:
                self._reader.add(pointer, "cycle", "a step can't stand in for itself")
            elif target in self._fallback_of:
                owner = self._drafts[self._fallback_of[target]].step.id
                self._reader.add(pointer, "fallback_shared", f'"{name}" is already the fallback of "{owner}"')
            else:
                self._fallback_of[target] = i

    # -- edges -----------------------------------------------------------------------------------------

    def _edges(self, i: int) -> Step:
        """The step reduced to its sound edges; each unsound one is a finding."""
        step, pointer = self._drafts[i].step, self._drafts[i].pointer
        needs = None
        if step.needs is not None:
            needs = self._checked_needs(i, step.needs, at(pointer, "needs"))
        when = step.when
        if when and not self._may_wait(i, when.step, at(pointer, "when")):
            when = None
        owned = self._fallback_of.get(self._index.get(step.on_error.fallback or "", -1)) == i
        uses = [f"${{steps.{name}.output}}" for name in sorted(self._check_references(i))]
        on_error = step.on_error if owned else OnError()
        name = step.id if self._index[step.id] == i else f"{step.id} (step {i + 1})"
        return Step(name, step.skill, {"uses": uses}, needs=needs, when=when, on_error=on_error)

    def _checked_needs(self, i: int, names: tuple[str, ...], pointer: str) -> tuple[str, ...]:
        sound: dict[str, None] = {}
        for k, name in enumerate(names):
            if name in sound:
                self._reader.add(at(pointer, k), "bad_value", f"{shown(name)} stands in this list twice")
            elif name and self._may_wait(i, name, at(pointer, k)):
                sound[name] = None
        return tuple(sound)

    def _may_wait(self, i: int, name: str, pointer: str) -> bool:
        """Whether step i can wait for the step called `name`, as far as the two alone can tell."""
        target = self._index.get(name)
        if target is None:
            add_unknown(self._reader, pointer, "unknown_step", "step", name, self._index)
        elif target == i:
            self._reader.add(pointer, "cycle", f'"{name}" would wait for itself')
        elif target in self._fallback_of:
            owner = self._drafts[self._fallback_of[target]].step.id
            detail = f'"{name}" runs only as the fallback of "{owner}": name "{owner}" instead'
            self._reader.add(pointer, "fallback_ordered", detail, suggestion=owner)
        else:
            return True
        return False

    def _check_cycles(self, edges: list[Step]) -> None:
        position = {step.id: i for i, step in enumerate(edges)}
        for _ in range(_MOST_CYCLES):
            try:
                order(tuple(edges))
            except CycleError as error:
                members = set(error.cycle)
                first = min(position[name] for name in members)
                self._reader.add(self._drafts[first].pointer, "cycle", _shortened(error.cycle))
                # Look for others with this one cut, and what would stand in for its steps.
                members.update(s.on_error.fallback for s in edges if s.on_error.fallback and s.id in members)
                edges = [Step(s.id, s.skill, {}, needs=()) if s.id in members else s for s in edges]
            else:
                return

    # -- references ------------------------------------------------------------------------------------

    def _check_references(self, i: int) -> set[str]:
        """The steps whose output step i uses, each of them before it."""
        draft = self._drafts[i]
        step = draft.step
        used: set[str] = set()
        each = at(draft.pointer, "for_each")
        items: Any = list(step.for_each) if isinstance(step.for_each, tuple) else step.for_each
        if isinstance(items, str):
            self._check_for_each(i, items, each)
        for value, pointer, in_items in (
            (dict(step.params), draft.params or "", items is not None),
            (items, each, False),
        ):
            for place, reference in self._references(value, pointer):
                if reference.kind == "steps":
                    if self._check_output(i, reference, place):
                        used.add(reference.name)
                elif reference.kind == "inputs":
                    self._check_input(reference, place)
                elif reference.kind == "secrets" and value is items and isinstance(items, list):
                    detail = f"a secret stands in parameters alone: give them ${{secrets.{reference.name}}}"
                    self._reader.add(place, "bad_reference", detail)
                elif reference.kind == "secrets":
                    self._check_secret(reference, place)
                elif not in_items:
                    detail = f"${{{reference.kind}}} has a meaning only in the parameters of a step with `for_each`"
                    self._reader.add(place, "bad_reference", detail)
        return used

    def _references(self, value: Any, pointer: str) -> Iterator[tuple[str, Reference]]:
        """Every reference with its place, once per string; a malformed one is a finding."""
        for place, text in strings(value, pointer):
            if "${" not in text:
                continue
            try:
                pieces = parse(text)
            except ValueError as error:
                self._reader.add(place, "bad_reference", visible(str(error), 300))
                continue
            for reference in dict.fromkeys(piece for piece in pieces if isinstance(piece, Reference)):
                yield place, reference

    def _check_output(self, i: int, reference: Reference, pointer: str) -> bool:
        name = reference.name
        if not self._may_wait(i, name, pointer):
            return False
        if self._index[name] > i:
            detail = f'"{name}" comes later in the plan, as step {self._index[name] + 1}'
            self._reader.add(pointer, "forward_reference", detail)
            return False
        step = self._drafts[self._index[name]].step
        path = reference.path
        if step.for_each is not None and path:
            if not path[0].isdecimal():
                detail = (
                    f'"{name}" has `for_each`: its output is an array, so a number comes before {path[0]!r}'
                )
                self._reader.add(pointer, "unknown_output", detail)
                return True
            path = path[1:]
        if skill := self._skills.get(step.skill):
            self._check_path(skill.output_schema, name, path, pointer)
        return True

    def _check_path(self, schema: Any, name: str, path: tuple[str, ...], pointer: str) -> None:
        """Follow the path as far as the schema says what there is."""
        for part in path:
            if not isinstance(schema, dict):
                return
            properties = schema.get("properties", {})
            if part in properties:
                schema = properties[part]
            elif schema.get("type") == "array" and part.isdecimal():
                schema = schema.get("items")
            else:
                if schema.get("type") in _SCALARS:
                    detail = f'the output of "{name}" is {schema["type"]} there: {shown(part)} leads nowhere'
                    self._reader.add(pointer, "unknown_output", detail)
                elif schema.get("additionalProperties") is False:
                    what = f'name in the output of "{name}":'
                    add_unknown(self._reader, pointer, "unknown_output", what, part, properties)
                return

    def _check_input(self, reference: Reference, pointer: str) -> None:
        name = reference.name
        self.used_inputs.add(name)
        if name not in self._inputs:
            add_unknown(self._reader, pointer, "unknown_input", "input", name, self._inputs)
        elif value_at(self._inputs[name], reference.path) is NOWHERE:
            path = ".".join(reference.path)
            self._reader.add(pointer, "unknown_input", f'the input "{name}" has nothing at {shown(path)}')

    def _check_secret(self, reference: Reference, pointer: str) -> None:
        if reference.path:
            self._reader.add(pointer, "bad_reference", f'the secret "{reference.name}" has no parts')

    def _check_for_each(self, i: int, text: str, pointer: str) -> None:
        """One reference and nothing else, to what may be an array; what an input holds is known."""
        try:
            pieces = parse(text)
        except ValueError:
            return  # a finding of `_references`
        reference = pieces[0]
        if len(pieces) > 1 or not isinstance(reference, Reference) or reference.kind == "secrets":
            detail = f"expected an array, an output or an input, got {shown(text)}"
            self._reader.add(pointer, "bad_value", detail)
        elif reference.kind == "inputs":
            value = value_at(self._inputs, (reference.name, *reference.path))
            if value is not NOWHERE:
                self._reader.array(value, pointer, max_len=MAX_ITEMS)
        elif reference.kind == "steps" and (kind := self._output_type(i, reference)) and kind != "array":
            detail = f"expected an array, and {shown(text)} is {in_words(kind)}"
            self._reader.add(pointer, "bad_value", detail)

    # -- size, parameters ------------------------------------------------------------------------------

    def _check_instances(self, pointer: str) -> None:
        instances = sum(draft.step.iterations * self._most_items(draft.step) for draft in self._drafts)
        if instances > MAX_INSTANCES:
            detail = f"iterations and items make {instances:,} calls; the limit is {MAX_INSTANCES:,}"
            self._reader.add(pointer, "too_many_steps", detail)

    def _most_items(self, step: Step) -> int:
        if step.for_each is None:
            return 1
        if isinstance(step.for_each, tuple):
            return len(step.for_each)
        if step.expect and step.expect.p50 == step.expect.p90:
            return int(step.expect.p50)
        return MAX_ITEMS

    def _check_main_input(self, i: int, draft: Draft, pointer: str) -> None:
        """A main input that is left out needs one step before it whose skill has a main output."""
        key = MAIN_INPUTS.get(draft.step.skill)
        if key is None or key in draft.step.params:
            return
        came = comes_after(self._steps, self._fallback_of, i)
        detail = None
        if len(came) > 1:
            detail = f'several steps come before, so "{key}" must say what is meant'
        elif not came:
            detail = f'no step comes before, so "{key}" is needed'
        elif came[0] in self._index:
            skill = self._skills.get(self._drafts[self._index[came[0]]].step.skill)
            if skill and skill.main_output is None:
                detail = f'"{came[0]}" before it has no main output ({skill.id}), so "{key}" is needed'
        if detail:
            self._reader.add(pointer, "bad_params", detail)

    def _check_params(self, step: Step, skill: Skill, pointer: str) -> None:
        check = known_validator(skill.input_schema)
        kind = partial(self._output_type, self._index[step.id])
        check_params(self._reader, step.params, pointer, check, skill.input_schema, self._inputs, kind)

    def _check_query(self, query: Any, pointer: str) -> None:
        """A query that is known before the run is parsed, of very many as far as that takes no time."""
        text = self._known_text(query)
        if text is not None and len(text) <= self._query_characters:
            self._query_characters -= len(text)
            if detail := fault(text):
                self._reader.add(pointer, "bad_params", detail)

    def _known_text(self, value: Any) -> str | None:
        """The text that a parameter will be; None where nobody knows yet."""
        try:
            (piece,) = parse(value) if isinstance(value, str) else ()
        except ValueError:  # malformed, a finding of `_references`, or put together from several
            return None
        if isinstance(piece, str):
            return piece
        found = value_at(self._inputs, (piece.name, *piece.path)) if piece.kind == "inputs" else None
        return found if isinstance(found, str) else None

    def _output_type(self, i: int, reference: Reference) -> str | None:
        """The JSON type of what step i finds in an output, where that is certain: what is passed over is null."""
        k, path = self._index.get(reference.name, i), reference.path
        step = self._drafts[k].step
        skill = self._skills.get(step.skill)
        sure = step.on_error.action == "fail" and not step.when and k not in self._fallback_of
        if k >= i or skill is None or not sure or step.iterations > 1:
            return None
        if step.for_each is not None:
            if not path or not path[0].isdecimal():
                return None if path else "array"
            path = path[1:]
        schema = value_at(skill.output_schema, tuple(key for part in path for key in ("properties", part)))
        kind = schema.get("type") if isinstance(schema, dict) else None
        return kind if isinstance(kind, str) else None


def _shortened(cycle: tuple[str, ...]) -> str:
    shown_ids = cycle if len(cycle) <= 12 else (*cycle[:6], f"({len(cycle) - 9} more)", *cycle[-3:])
    return " -> ".join(shown_ids) + ": these wait for each other"
