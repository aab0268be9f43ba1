"""Plans as tests of their reader write them: documents, read or refused."""

from typing import Any

import pytest

from aos.errors import InputError
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import ParsedPlan, parse_plan

CATALOG = default_catalog()

DEMO: Any = [
    {"skill": "http_call", "params": {"url": "https://api.coingecko.com/..."}},
    {"skill": "json_transform", "params": {"query": ".bitcoin.usd"}},
    {"skill": "webhook_send", "params": {"url": "https://hooks.slack.com/..."}},
]
FETCH: Any = {"skill": "http_call", "params": {"url": "https://example.org"}}
READ: Any = {"skill": "fs_read", "params": {"path": "a"}}
WRITE: Any = {"skill": "fs_write", "params": {"path": "a", "content": "b"}}
TRANSFORM: Any = {"skill": "json_transform", "params": {"query": "a"}}


def read(document: Any, **options: Any) -> ParsedPlan:
    return parse_plan(document, CATALOG, name="plan.json", **options)


def wrong(document: Any, **options: Any) -> list[tuple[str, str]]:
    """Pointers and codes of everything wrong with it."""
    with pytest.raises(InputError) as caught:
        read(document, **options)
    assert caught.value.code == "invalid_plan"
    return [(finding.pointer, finding.code) for finding in caught.value.findings]


def step(**keys: Any) -> Any:
    return {**READ, **keys}
