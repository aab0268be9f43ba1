"""Rooms stay small: a module can be read in one sitting, a folder taken in at a glance."""

import ast
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES, MOST_MODULES = 400, 12
LONGEST, TABLE = 60, 12
"""Lines of a function below its signature and docstring; what takes more for so few statements is a table."""
GROWING = {"src/aos_server/db/migrations/versions"}
"""A migration is for ever: this folder grows by one with each."""


def modules() -> Iterator[Path]:
    for top in ("src", "tests", "examples", "deploy"):
        for folder, inner, files in os.walk(ROOT / top):
            inner[:] = [name for name in inner if name != "node_modules"]
            yield from (Path(folder, name).relative_to(ROOT) for name in files if name.endswith(".py"))


def test_a_folder_has_at_most_12_modules() -> None:
    """Besides `__init__.py`, which says what the folder is for."""
    rooms = Counter(path.parent.as_posix() for path in modules() if path.name != "__init__.py")
    assert len(rooms) > 50
    assert {room: n for room, n in rooms.items() if n > MOST_MODULES and room not in GROWING} == {}


def test_a_module_has_at_most_400_lines() -> None:
    lines = {path.as_posix(): (ROOT / path).read_bytes().count(b"\n") for path in modules()}
    assert {path: n for path, n in lines.items() if n > MOST_LINES} == {}


Function = ast.FunctionDef | ast.AsyncFunctionDef


def length(function: Function) -> int:
    first = function.body[1:2] if ast.get_docstring(function, clean=False) else function.body
    return (function.end_lineno or 0) - first[0].lineno + 1 if first else 0


def statements(function: Function) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1


def test_a_function_has_at_most_60_lines() -> None:
    """A table, of routes or of figures, may be longer."""
    functions = [
        (f"{path.as_posix()}:{node.lineno} {node.name}", node)
        for path in modules()
        for node in ast.walk(ast.parse((ROOT / path).read_bytes()))
        if isinstance(node, Function)
    ]
    assert len(functions) > 5_000
    long = {where: length(node) for where, node in functions if length(node) > LONGEST}
    assert long
    assert {
        where: long[where] for where, node in functions if where in long and statements(node) > TABLE
    } == {}


def test_what_tests_share_is_in_no_module_of_tests() -> None:
    """Who reads one need not read another, and none is collected for what another needs."""
    found = {
        path.as_posix(): borrowed
        for path in modules()
        if path.parts[0] == "tests"
        and (
            borrowed := re.findall(
                r"^from (tests\S*\.test_\w+) ", (ROOT / path).read_text("utf-8"), re.MULTILINE
            )
        )
    }
    assert found == {}
