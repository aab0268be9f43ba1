"""What makes an MCP client start this server: the file it reads, and what that has to hold."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aos.wire.results.documents import Document, envelope

__all__ = ["CLIENTS", "Entry", "entry"]

_FILES = {
    "claude": (".mcp.json", "mcpServers"),
    "cursor": (".cursor/mcp.json", "mcpServers"),
    "vscode": (".vscode/mcp.json", "servers"),
}
CLIENTS = tuple(_FILES)


class Entry(NamedTuple):
    """The file, from the project's folder, and what is to stand in it."""

    client: str
    file: str
    config: dict[str, Any]

    def document(self) -> Document:
        """The document `aos.mcp-config/1`."""
        return {**envelope("aos.mcp-config/1"), **self._asdict()}


def entry(client: str, words: Sequence[str]) -> Entry:
    """For one of `CLIENTS`; `words` follow `aos mcp`. The program is named in full: clients know no environment."""
    file, key = _FILES[client]
    program, *before = _program()
    started: dict[str, Any] = {"command": program, "args": [*before, "mcp", *words]}
    if client == "vscode":
        started = {"type": "stdio", **started}
    return Entry(client, file, {key: {"aos": started}})


def _program() -> list[str]:
    script = Path(sys.argv[0])
    if script.name in ("aos", "aos.exe"):
        return [str(script.absolute())]
    return [sys.executable, "-m", "aos"]
