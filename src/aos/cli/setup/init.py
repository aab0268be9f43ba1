"""`aos init`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from aos.api.files.drafts import start_project
from aos.cli.answer import Answer
from aos.wire.problems import visible
from aos.wire.results.documents import envelope


def init(
    folder: Annotated[Path, Argument(help="Where to.", show_default="here")] = Path(),
    force: Annotated[bool, Option("--force", help="Replace what is there.")] = False,
) -> Answer:
    """Write a commented aos.toml and a first plan, plan.json."""
    written = [str(path) for path in start_project(folder, replace=force)]
    lines = [f"wrote {visible(path, 200)}" for path in written]
    text = "\n".join([*lines, f"next: aos simulate {visible(written[-1], 200)}"])
    return Answer(lambda: {**envelope("aos.files/1"), "written": written}, lambda _: text)
