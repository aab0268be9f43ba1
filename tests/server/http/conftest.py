"""One server for all tests; each tells it what holds for whom."""

from collections.abc import Iterator

import httpx
import pytest

from tests.server.http.world import Told, asking


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[httpx.Client, Told]]:
    terms = Told()
    with asking(tenants=terms) as client:
        yield client, terms


@pytest.fixture
def told_terms(served: tuple[httpx.Client, Told]) -> Iterator[Told]:
    """What holds for whom, for one test."""
    yield served[1]
    served[1].terms_of = {}


@pytest.fixture
def client(served: tuple[httpx.Client, Told]) -> httpx.Client:
    return served[0]
