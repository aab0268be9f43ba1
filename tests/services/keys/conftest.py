"""A server whose keys are in a folder, and somebody who operates it."""

from collections.abc import Iterator

import httpx
import pytest

from aos_server.keystores.backend import Backend
from tests.server.serve import serving
from tests.services.keys.making import new_keys
from tests.services.keys.working import working_server
from tests.services.staff import by


@pytest.fixture
def folder(tmp_path) -> Backend:
    return new_keys(tmp_path / "keys")


@pytest.fixture
def client(base, folder) -> Iterator[httpx.Client]:
    with (
        serving(working_server(base, folder)) as url,
        httpx.Client(base_url=url, headers=by("manager"), timeout=30) as client,
    ):
        yield client
