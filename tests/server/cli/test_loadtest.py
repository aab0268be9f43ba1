"""`aos loadtest` at a real server, from real threads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aos_server.app import application
from aos_server.limits.rates import Rates
from tests.cli.process import Finished, aos
from tests.cli.schemas import faults
from tests.server.http.world import NO_RUNS
from tests.server.serve import serving
from tests.services.staff import Staff


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(application(Staff(), runs=NO_RUNS)) as found:
        yield found


def asked(url: str, tmp_path: Path, *words: str, env: dict[str, str] | None = None) -> Finished:
    known = {
        "AOS_BASE_URL": url,
        "AOS_API_KEY": "colleague",
        "AOS_KEYRING": "off",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    return aos("loadtest", *words, env={**known, **(env or {})})


def test_every_call_is_counted_here_and_at_the_server(url: str, tmp_path: Path) -> None:
    env = {"STRESS_WORKERS": "5", "STRESS_OPS_PER_WORKER": "30"}
    done = asked(url, tmp_path, "--call", "evaluate", "--call", "simulate", "--p95", "1h", "--json", env=env)
    document = done.document
    assert faults(document) == []
    assert (done.status, document["passed"], document["reasons"]) == (0, True, [])
    assert {name: one["calls"] for name, one in document["by_call"].items()} == {
        "evaluate": 75,
        "simulate": 75,
    }
    assert (document["workers"], document["calls"]) == (5, 150)
    # Each worker makes one call before; the server counts those, too.
    assert document["counted"]["nova_policy_decisions_total"] == 75 + 3
    assert document["latency_ms"]["p50"]["value"] <= document["latency_ms"]["p95"]["value"]


def test_what_goes_wrong_is_a_no_that_says_how_often(url: str, tmp_path: Path) -> None:
    refused = asked(url, tmp_path, "--call", "read", "--workers", "2", "--json")
    assert (refused.status, refused.document["code"]) == (6, "unavailable")  # nothing is kept there
    done = asked(url, tmp_path, "--workers", "1", "--ops", "40", "--p95", "1h", "--json")
    assert (done.status, done.document["passed"]) == (3, False)
    assert done.document["errors"] == {"unavailable": 20}
    assert (
        asked(url, tmp_path, "--workers", "1", "--ops", "400", "--p95", "1h", "--max-errors", "0.5").status
        == 0
    )


def test_too_slow_is_a_no(url: str, tmp_path: Path) -> None:
    done = asked(url, tmp_path, "--call", "evaluate", "--workers", "1", "--ops", "100", "--p95", "0.01ms")
    assert done.status in (3, 5)  # 5: this machine was too busy to tell
    assert "0 ms are asked for" in done.text


def test_a_limit_of_requests_is_no_answer(tmp_path: Path) -> None:
    limits: Any = dict.fromkeys(("evaluate", "decide", "create", "read"), 60)
    with serving(application(Staff(), runs=NO_RUNS, rates=Rates(None, limits))) as url:
        done = asked(url, tmp_path, "--call", "evaluate", "--workers", "3", "--ops", "100", "--p95", "1h")
    assert done.status == 5
    assert "were more than a caller may make in a minute" in done.text
    assert "aos-server key create" in done.text


def test_nobody_there_and_nobody_known_are_said_as_by_every_command(url: str, tmp_path: Path) -> None:
    assert asked("http://127.0.0.1:9", tmp_path, "--json").document["code"] == "unreachable"
    strange = asked(url, tmp_path, "--json", env={"AOS_API_KEY": "nobody"})
    assert (strange.status, strange.document["code"]) == (4, "unauthenticated")
