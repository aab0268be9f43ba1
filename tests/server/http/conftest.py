"""One server for all tests that change nothing about it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.server.http.world import asking


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    with asking() as client:
        yield client
