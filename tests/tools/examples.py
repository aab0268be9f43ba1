"""What the examples of a folder print, as in a pipe of 80 columns without colour."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["ROOT", "Printed", "as_json", "options", "said", "write"]

ROOT = Path(__file__).parents[2]

Printed = Callable[..., tuple[int, str]]
"""An example's folder and further words to the exit status and output of its command."""


def said(*words: str) -> tuple[int, str]:
    """The exit status and output of `aos`; it must have nothing to say on stderr."""
    plain = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "aos", *words]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=plain, encoding="utf-8")
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


def options(folder: Path) -> list[str]:
    """The words of the example's `options.txt`, where it has one."""
    file = folder / "options.txt"
    return shlex.split(file.read_text()) if file.exists() else []


def as_json(printed: Printed, folder: Path) -> str:
    """The document, readable."""
    return json.dumps(json.loads(printed(folder, "--json")[1]), indent=2, ensure_ascii=False) + "\n"


def write(printed: Printed, folders: Iterable[Path]) -> None:
    """Make what is expected anew."""
    for folder in folders:
        (folder / "expected.json").write_text(as_json(printed, folder), encoding="utf-8")
        (folder / "expected.txt").write_text(printed(folder)[1], encoding="utf-8")
