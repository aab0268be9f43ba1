"""What the commands that draft a catalog share."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from typer import BadParameter, Option

from aos.api.files.drafts import CatalogDraft
from aos.cli.answer import Answer
from aos.files.outputs import write_file
from aos.wire.catalogs.tools import Guess
from aos.wire.problems import visible
from aos.wire.results.documents import envelope

Out = Annotated[Path | None, Option("--out", metavar="FILE", help="Write it there instead of printing it.")]
Force = Annotated[bool, Option("--force", help="Replace FILE if it is there.")]


def ending(out: Path | None, *allowed: str) -> str:
    """The ending of the file named, which says in which form to write; without a file the first one allowed."""
    if out and out.suffix not in allowed:
        raise BadParameter(f"the name has to end in {' or '.join(allowed)}", param_hint="--out")
    return out.suffix if out else allowed[0]


def draft_answer(draft: CatalogDraft, out: Path | None, *, replace: bool) -> Answer:
    """Write the draft, if it is to be written; its text goes to stdout, what is guessed in it to stderr."""
    if out:
        write_file(out, draft.text, replace=replace)
    written = [str(out)] if out else []

    def document() -> dict[str, Any]:
        return {
            **envelope("aos.draft/1"),
            "catalog": draft.document,
            "guesses": [guess._asdict() for guess in draft.guesses],
            "written": written,
        }

    text = "\n".join(f"wrote {visible(path, 200)}" for path in written) or draft.text
    return Answer(document, lambda _: text, aside=tuple(_guesses(draft.guesses)))


def _guesses(guesses: tuple[Guess, ...]) -> Iterator[str]:
    """The same guess about several skills in one line."""
    about: dict[str, list[str]] = {}
    for guess in guesses:
        _, _, skill, key = (guess.pointer + "//").split("/", 3)
        key = key.rstrip("/")
        value = f" {json.dumps(guess.value)}" if key and guess.value is not None else ""
        about.setdefault(f"{key}{value}: {guess.reason}".removeprefix(": "), []).append(skill)
    for what, skills in about.items():
        named = f" ({', '.join(skills)})" if any(skills) else ""
        yield visible(what + named, 800)
