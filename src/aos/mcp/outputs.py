"""What tools answer, as JSON Schemas: a document of theirs, or the problem that says why there is none."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from aos.mcp.tool import Tool

__all__ = ["output_schema"]

_FILE = Path(__file__).with_name("data") / "outputs.json"
"""docs/schemas, one level deep: what the documents hold is said in full there."""
_PROBLEM = "aos.problem/1"


def output_schema(tool: Tool) -> dict[str, Any]:
    """The schema of a tool's structured content."""
    known = _known()
    names = [*tool.gives, _PROBLEM]
    return {
        "type": "object",
        "required": ["schema", "aos_version"],
        "properties": {"schema": {"enum": names}},
        "anyOf": [known[name] for name in names],
    }


@cache
def _known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(_FILE.read_bytes())
    return known
