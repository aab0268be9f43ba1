"""The committed JSON Schemas, and whether a document keeps the one it names."""

import json
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, Registry

from tests.cli.process import ROOT


def _committed(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        "aos." + path.name.removesuffix("-1.schema.json") + "/1": json.loads(path.read_bytes())
        for path in sorted(folder.glob("*-1.schema.json"))
    }


SCHEMAS = _committed(ROOT / "docs/schemas")
SERVER_SCHEMAS = _committed(ROOT / "docs/schemas/server")
"""What `aos-server` prints."""
_EVERY = SCHEMAS | SERVER_SCHEMAS
_BY_URN = {schema["$id"]: schema for schema in _EVERY.values()}
_REGISTRY = Registry(list(_BY_URN.items()))


def faults(document: dict[str, Any]) -> list[str]:
    """How the document breaks its schema; a key that the schema does not name is one way."""
    schema = _EVERY[document["schema"]]
    errors = Draft202012Validator(schema, registry=_REGISTRY).iter_errors(document)
    broken = [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in errors]
    return broken + [f"{key}: not in the schema" for key in document if key not in _named(schema, schema)]


def _named(schema: dict[str, Any], root: dict[str, Any]) -> set[str]:
    """The keys that a schema of an object names, also by reference."""
    names = set(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        urn, _, pointer = part.get("$ref", "").partition("#/$defs/")
        if pointer:
            home = _BY_URN.get(urn, root)
            names |= _named(home["$defs"][pointer], home)
    return names


def assert_unknowns_are_null(document: dict[str, Any]) -> None:
    """Every entry of `unknowns` points at a null."""
    for entry in document.get("unknowns", []):
        value: Any = document
        for key in entry["pointer"].split("/")[1:]:
            value = (
                value[int(key)]
                if isinstance(value, list)
                else value[key.replace("~1", "/").replace("~0", "~")]
            )
        assert value is None, entry
