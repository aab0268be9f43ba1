"""What a tool is: what agents read of it, what it takes, and what it gives back."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from aos.errors import CODES, InputError
from aos.mcp.setup import Setup
from aos.wire.catalogs.tools import FIGURES
from aos.wire.plans.parameters import check_arguments, known_validator
from aos.wire.shape import Reader

__all__ = ["Arguments", "Call", "Cancelled", "Hints", "Reply", "Tool", "Work", "checked", "listed", "takes"]

Arguments = Mapping[str, Any]


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Call:
    """One call while it is worked on: whoever works tells how far it has got, and stops where nobody waits any more.

    `told` is given the number of runs simulated so far, by the thread that works.
    """

    def __init__(self, told: Callable[[int], None] = lambda drawn: None) -> None:
        self._told = told
        self._stops: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._cancelled = False

    def progress(self, drawn: int) -> None:
        """Raises Cancelled."""
        if self._cancelled:
            raise Cancelled
        self._told(drawn)

    def stoppable(self, stop: Callable[[], None]) -> None:
        """From now on `cancel` calls `stop`, which ends the work in good order; at once where it was called before."""
        with self._lock:
            self._stops.append(stop)
            cancelled = self._cancelled
        if cancelled:
            stop()

    def cancel(self) -> None:
        """End the work. May be called from any thread."""
        with self._lock:
            self._cancelled = True
            stops = tuple(self._stops)
        for stop in stops:
            stop()


class Reply(NamedTuple):
    """A document, and what of it people and models should read first."""

    document: Mapping[str, Any]
    text: str


class Work(Protocol):
    """What a tool does. Raises AosError, and Cancelled where the call says so."""

    def __call__(self, setup: Setup, arguments: Arguments, call: Call, /) -> Reply: ...


class Hints(NamedTuple):
    """What a tool does to the world. All four are said: MCP's defaults are guesses."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


class Tool(NamedTuple):
    """`gives` are the documents that it answers. `figures` is what a call costs and takes, in the forms of a catalog;
    what is left out is unknown.
    """

    name: str
    title: str
    description: str
    work: Work
    input_schema: Mapping[str, Any]
    gives: tuple[str, ...]
    hints: Hints
    figures: Mapping[str, Any]


def takes(properties: Mapping[str, Mapping[str, Any]], *required: str) -> dict[str, Any]:
    """The JSON Schema of arguments."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def checked(tool: Tool, arguments: Arguments) -> Arguments:
    """The arguments. Raises InputError(invalid_arguments) with everything in which they are not as the schema says."""
    reader, schema = Reader(), tool.input_schema
    check_arguments(reader, arguments, known_validator(schema), schema)
    if reader.findings:
        fix = CODES["invalid_arguments"].fix
        raise InputError.of("invalid_arguments", tool.name, reader.findings, fix=fix)
    return arguments


def listed(tool: Tool, output_schema: Mapping[str, Any]) -> dict[str, Any]:
    """The tool as tools/list tells it."""
    hints = tool.hints
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "outputSchema": output_schema,
        "annotations": {
            "readOnlyHint": hints.read_only,
            "destructiveHint": hints.destructive,
            "idempotentHint": hints.idempotent,
            "openWorldHint": hints.open_world,
        },
        "_meta": {FIGURES: {"version": "1", **tool.figures}},
    }
