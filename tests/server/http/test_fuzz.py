"""Whatever is sent to an address of the OpenAPI document: no fault of the server's own, and every error a problem.

2,000 requests in CI, half of them meant to be valid; `nox -s fuzz` sends 20,000.
"""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from aos.errors import CODES
from tests.server.processes import aos_server
from tests.tools.build_openapi import PAGE

CASES = int(os.environ.get("AOS_FUZZ_CASES", "2000"))
OPERATIONS: list[Any] = [
    result.ok()  # type: ignore[union-attr]
    for result in schemathesis.openapi.from_path(str(PAGE)).get_all_operations()
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
EACH = -(-CASES // (len(OPERATIONS) * len(MODES)))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with aos_server("dev", "--port", "0", env={"RATE_LIMIT_ENABLED": "false"}) as served:
        yield served.url
        assert httpx.get(f"{served.url}/readyz").status_code == 200


def can_be_broken(operation: Any) -> bool:
    """Whether it takes anything that could be wrong."""
    return bool(operation.body or operation.query or operation.path_parameters or operation.headers)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_answer_is_a_fault(url: str, operation: Any, mode: GenerationMode) -> None:
    if mode is GenerationMode.NEGATIVE and not can_be_broken(operation):
        return
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    with requests.Session() as session:

        @settings(
            max_examples=EACH,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=checks,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            check(case.call(base_url=url, session=session, timeout=60))

        send()


def check(answer: Any) -> None:
    """A success, or a problem of the catalogue; 503 is the only status of ours that says that something is amiss."""
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == ["application/problem+json"], answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"] in CODES
    assert answer.status_code < 500 or answer.status_code == 503, problem
