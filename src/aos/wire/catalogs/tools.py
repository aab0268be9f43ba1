"""Catalogs drafted from the tools of an MCP server: the answer to its `tools/list`, as a document of ours.

MCP has no words for cost, time or failures, so these stay unknown unless the tool says them in its `_meta` under
`FIGURES`, in the forms of a catalog. Its annotations are four flags, each of which may be missing; what is missing is
taken as the worst case, and told. Format: Model Context Protocol 2025-06-18, "Tools"; docs/mcp.md for the figures.
"""

from typing import Any, NamedTuple

from aos.wire.plans.parameters import check_schema
from aos.wire.problems import visible
from aos.wire.shape import Fields, Reader, at
from aos.wire.strict import Json

__all__ = ["FIGURES", "Draft", "Guess", "draft_catalog"]

FIGURES = "aos-plan/figures"
"""The key of a tool's `_meta` that says what a call costs, how long it takes and how it fails."""
_STATED = ("cost_cents", "latency_ms", "failures")

_MAX_TOOLS = 1_000
_HINTS = {
    "read_only": "readOnlyHint",
    "idempotent": "idempotentHint",
    "destructive": "destructiveHint",
    "open_world": "openWorldHint",
}
_WORST = {
    "read_only": False,
    "idempotent": False,
    "destructive": True,
    "reversible": False,
    "open_world": True,
}
_OF_READERS = {"idempotent": True, "destructive": False, "reversible": True}


class Guess(NamedTuple):
    """Something the tools don't say: a place in the drafted catalog, what was put there, why."""

    pointer: str
    value: Any
    reason: str


class Draft(NamedTuple):
    """A catalog document and what in it is guessed."""

    document: dict[str, Any]
    guesses: tuple[Guess, ...]


def draft_catalog(document: Json, *, name: str) -> Draft:
    """The tools as skills. `document` is `{"tools": [...]}` or the whole reply, `{"result": {"tools": [...]}}`.

    Raises InputError(invalid_catalog) with everything that is wrong with it.
    """
    reader, guesses = Reader(), list[Guess]()
    reply, pointer = document, ""
    if isinstance(document, dict) and "result" in document:
        reply, pointer = document["result"], "/result"
    answer = reader.obj(reply, pointer, required=("tools",))
    skills: dict[str, Any] = {}
    for i, tool in enumerate(reader.array(answer["tools"], at(pointer, "tools"), max_len=_MAX_TOOLS)):
        place = at(pointer, "tools", i)
        fields = _without_nulls(reader.obj(tool, place, required=("name",)))
        # A tool may be called "files/read"; a skill may not.
        skill = reader.text(fields["name"], at(place, "name"), "").replace("/", ".")
        if skill in skills:
            reader.add(at(place, "name"), "bad_value", f'"{visible(skill)}" stands in this list twice')
        skills[skill] = _Tool(reader, fields, place, at("/skills", skill), guesses).descriptor()
    if isinstance(answer["nextCursor"], str):
        guesses.append(Guess("/skills", None, "the list goes on: the server has told a `nextCursor`"))
    reader.raise_if_any("invalid_catalog", name)
    return Draft({"aos_catalog": "1", "skills": skills}, tuple(guesses))


class _Tool:
    """One tool: where it stands (`place`), and where its skill will (`pointer`)."""

    def __init__(
        self, reader: Reader, fields: Fields, place: str, pointer: str, guesses: list[Guess]
    ) -> None:
        self.reader = reader
        self.fields = fields
        self.place = place
        self.pointer = pointer
        self.guesses = guesses

    def descriptor(self) -> dict[str, Any]:
        purpose = self._purpose()
        self._guess(("version",), "1", "tools have no version")
        return {
            "version": "1",
            "purpose": purpose,
            "effects": self._effects(),
            **self._figures(),
            **self._schema("input_schema", "inputSchema"),
            **self._schema("output_schema", "outputSchema"),
        }

    def _purpose(self) -> str:
        """The first paragraph of the description; without one the title or the name."""
        told = {
            key: self.reader.text(self.fields[key], at(self.place, key), "")
            for key in ("description", "title")
        }
        paragraph = " ".join(told["description"].strip().partition("\n\n")[0].split())
        if paragraph:
            return paragraph
        purpose = told["title"] or str(self.fields["name"])
        self._guess(("purpose",), purpose, "the tool has no description")
        return purpose

    def _effects(self) -> dict[str, bool]:
        place = at(self.place, "annotations")
        hints = _without_nulls(self.reader.obj(self.fields["annotations"], place))
        stated = {flag: self.reader.flag(hints[hint], at(place, hint), None) for flag, hint in _HINTS.items()}
        harmless = stated["read_only"] is True
        effects = {}
        for flag, worst in _WORST.items():
            said = stated.get(flag)
            if said is None:
                said = _OF_READERS.get(flag, worst) if harmless else worst
                reason = "follows from readOnlyHint" if harmless and flag in _OF_READERS else _reason(flag)
                self._guess(("effects", flag), said, reason)
            effects[flag] = said
        return effects

    def _figures(self) -> dict[str, Any]:
        """What the tool says it costs and takes, in version 1; what is not said, or in another one, stays unknown."""
        place = at(self.place, "_meta", FIGURES)
        meta = self.reader.obj(self.fields["_meta"], at(self.place, "_meta"))
        stated = self.reader.obj(meta[FIGURES], place, required=("version",))
        if not stated:
            return {}
        if stated["version"] != "1":
            self._guess(("cost_cents",), None, f"{FIGURES} is of another version than 1, and left out")
            return {}
        self.reader.obj(meta[FIGURES], place, known=("version", *_STATED))
        return {key: stated[key] for key in _STATED if stated.get(key) is not None}

    def _schema(self, key: str, theirs: str) -> dict[str, Any]:
        """A schema that can't be used here is left out: an unchecked parameter is no reason to lose the tool."""
        schema = self.reader.obj(self.fields[theirs], at(self.place, theirs))
        trial = Reader()
        check_schema(trial, dict(schema), "")
        if not trial.findings:
            return {key: dict(schema)} if schema else {}
        self._guess((key,), None, f"{theirs} left out: {trial.findings[0].detail}")
        return {}

    def _guess(self, path: tuple[str, ...], value: Any, reason: str) -> None:
        self.guesses.append(Guess(at(self.pointer, *path), value, reason))


def _without_nulls(fields: Fields) -> Fields:
    """Some servers write null for what they leave out."""
    return Fields({key: value for key, value in fields.items() if value is not None})


def _reason(flag: str) -> str:
    return f"no {_HINTS[flag]}: the worst case" if flag in _HINTS else "MCP has no such hint: the worst case"
