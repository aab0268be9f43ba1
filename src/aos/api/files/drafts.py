"""Files to begin with: a project's settings and first plan, a descriptor, a catalog out of MCP tools."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aos.api.files.templates import CONFIG, FIRST_PLAN, descriptor
from aos.domain.skills.skill import Effects
from aos.errors import AosError, InputError
from aos.files.config import NAME
from aos.files.outputs import make_folder, write_file
from aos.files.sources import read_document
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.catalogs.tools import Guess, draft_catalog
from aos.wire.encode import indented
from aos.wire.problems import at
from aos.wire.strict import Json

_PLAN = "plan.json"


class CatalogDraft(NamedTuple):
    """A drafted catalog as a document and as the text of a file, and what in it is guessed."""

    document: dict[str, Any]
    text: str
    guesses: tuple[Guess, ...] = ()


def start_project(folder: Path, *, replace: bool) -> tuple[Path, ...]:
    """Write aos.toml and plan.json into a folder, which is made if it is not there; answers their paths.

    Raises AosError: file_exists, before anything is written, where one is there and `replace` is false;
    write_failed.
    """
    texts = {folder / NAME: CONFIG, folder / _PLAN: FIRST_PLAN}
    present = [path for path in texts if path.exists()]
    if present and not replace:
        raise AosError(
            "file_exists", " and ".join(map(str, present)) + (" exist" if present[1:] else " exists")
        )
    make_folder(folder)
    for path, text in texts.items():
        write_file(path, text, replace=replace)
    return tuple(texts)


def draft_skill(skill: str) -> CatalogDraft:
    """A commented descriptor of a skill of that name, nothing known. Raises AosError(usage) for what is no id."""
    import tomllib

    nothing: Json = {"version": "1", "purpose": "", "effects": dict.fromkeys(Effects._fields, False)}
    try:
        parse_catalog({"aos_catalog": "1", "skills": {skill: nothing}}, name=skill)
    except InputError as error:
        raise AosError(
            "usage", error.detail, fix="Choose an id such as translate or acme.translate."
        ) from None
    text = descriptor(skill)
    return CatalogDraft(tomllib.loads(text), text)


def draft_from_tools(source: str, *, form: str = "json") -> CatalogDraft:
    """A catalog out of the `tools/list` of an MCP server: a path, `-`, or the JSON itself; `form` json or toml.

    Raises InputError(invalid_catalog) for what is no such list, AosError(usage) for what TOML can't say.
    """
    read = read_document(source, code="invalid_catalog")
    document, guesses = draft_catalog(read.value, name=read.name)
    parse_catalog(document, name=read.name)
    shipped = [
        Guess(
            at("/skills", name),
            None,
            "aos ships a skill of that name: what is left out here is taken from it",
        )
        for name in document["skills"]
        if name in default_catalog().skills
    ]
    text = _toml(document) if form == "toml" else indented(document)
    return CatalogDraft(document, text, (*guesses, *shipped))


def _toml(document: dict[str, Any]) -> str:
    import tomli_w

    null = next(_nulls(document, ""), None)
    if null is not None:
        raise AosError(
            "usage", f"TOML has no null, and {null} is one", fix="Write to a file that ends in .json."
        )
    return tomli_w.dumps(document)


def _nulls(value: Any, pointer: str) -> Iterator[str]:
    """The pointers of every null inside a JSON value."""
    if value is None:
        yield pointer
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _nulls(inner, at(pointer, key))
