"""Writes docs/openapi.json: `python -m tests.tools.build_openapi`."""

import json
from pathlib import Path
from typing import Any, cast

from aos_server.http.endpoint import Endpoint
from aos_server.http.openapi import document
from aos_server.http.routes.table import Handlers, endpoints

PAGE = Path(__file__).parents[2] / "docs" / "openapi.json"


class _Unserved:
    """Stands for the handlers: only their names are asked for."""

    def __getattr__(self, name: str) -> Any:
        async def handler(_: object) -> bytes:
            raise NotImplementedError

        handler.__name__ = name
        return handler


def described() -> tuple[Endpoint, ...]:
    """Every endpoint, without anything behind it."""
    return endpoints(Handlers(*(cast(Any, _Unserved()) for _ in Handlers._fields)))


def page() -> str:
    """The page as it should be."""
    return json.dumps(document(described()), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
