"""Places for keys: each test has one of its own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.keystores.places import Place, Vault, ssm, ssm_server, vault_server


@pytest.fixture(scope="session")
def vault() -> Iterator[Vault]:
    with vault_server() as server:
        yield server


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    with ssm_server() as url:
        yield url


@pytest.fixture
def parameters(aws: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty SSM."""
    httpx.post(f"{aws}/moto-api/reset", timeout=60).raise_for_status()
    found = ssm(aws)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture(params=["file", "vault", "ssm"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each of the three, empty."""
    if request.param == "vault":
        server: Vault = request.getfixturevalue("vault")
        return server.place()
    if request.param == "ssm":
        found: Place = request.getfixturevalue("parameters")
        return found
    return Place("file", {"WEBHOOK_KEYS_PATH": str(tmp_path / "keys")})
