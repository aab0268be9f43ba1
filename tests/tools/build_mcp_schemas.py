"""What the tools of `aos mcp` say of their answers: docs/schemas, one level deep, since every client loads all of it.

`python -m tests.tools.build_mcp_schemas` writes src/aos/mcp/data/outputs.json.
"""

import json
from pathlib import Path
from typing import Any

from aos.mcp.tools import ALL

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs/schemas"
FILE = ROOT / "src/aos/mcp/data/outputs.json"

_PROBLEM = "aos.problem/1"
_KEPT = ("type", "const", "enum")


def outputs() -> str:
    """Every document that a tool can answer, a line each."""
    names = dict.fromkeys([name for tool in ALL for name in tool.gives] + [_PROBLEM])
    lines = [f"{json.dumps(name)}: {json.dumps(_shallow(_named(name)))}" for name in names]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _shallow(schema: dict[str, Any]) -> dict[str, Any]:
    """The keys that are always there, with their types."""
    required = schema["required"]
    properties = {name: _kept(schema["properties"][name], schema) for name in required}
    return {"properties": properties, "required": required}


def _kept(part: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        urn, _, pointer = part["$ref"].partition("#/")
        home = _read(urn.removeprefix("urn:aos:schema:")) if urn else root
        place, _, name = pointer.partition("/")
        return _kept(home[place][name] if name else home, home)
    return {key: part[key] for key in _KEPT if key in part}


def _named(document: str) -> dict[str, Any]:
    return _read(document.removeprefix("aos.").replace("/", "-"))


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    return schema


if __name__ == "__main__":
    FILE.write_text(outputs(), "utf-8")
