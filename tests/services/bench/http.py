"""How fast the API answers next to bare Starlette and to the engine alone, in one run: `nox -s bench_server`."""

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from aos import load_catalog, load_plan, simulate
from aos.wire.encode import one_line
from aos.wire.results.simulations import simulation
from aos_server import logs
from aos_server.app import application
from aos_server.identity.auth_service import AuthService
from aos_server.identity.authenticate import Identity
from aos_server.identity.issuers import Issuer
from aos_server.identity.remote import Remote
from aos_server.limits.protocol import SETTINGS
from aos_server.limits.rates import Rates
from aos_server.stub.app import create_stub
from aos_server.stub.provider import StubProvider
from tests.cli.process import DEMO
from tests.server.http.world import NO_RUNS, People
from tests.server.serve import serving

ROUNDS, SECONDS = 5, 2
PATH = "/api/v1/runtime/capabilities"


def main() -> None:
    """Medians of interleaved rounds: everything has the same machine under it."""
    with ExitStack() as stack:
        stack.enter_context(redirect_stderr(stack.enter_context(Path(os.devnull).open("w"))))
        logs.configure(plain=False)  # as the server does: a line for each request

        def serve(app: object) -> str:
            return stack.enter_context(serving(app, **{**SETTINGS, "lifespan": "off"}))

        provider = StubProvider("")
        provider.url = serve(create_stub(provider, "k"))
        remote = Remote()
        service = AuthService(provider.url, "k", remote)
        identity = Identity([Issuer(provider.url, "aos")], remote, auth_service=service)
        token = provider.token("dev", "acme")
        off = serve(application(People(), runs=NO_RUNS, trusting=True))
        on = serve(application(identity, runs=NO_RUNS, rates=Rates(None, {"read": 100_000_000})))
        document = httpx.get(off + PATH).json()

        async def bare(_: Request) -> JSONResponse:
            return JSONResponse(document)

        limit = serve(Starlette(routes=[Route(PATH, bare)]))
        found = _interleaved(
            {
                "bare Starlette, the same document": lambda: _wrk(limit + PATH),
                "capabilities, identity and limits off": lambda: _wrk(off + PATH),
                "capabilities, identity and limits on": lambda: _wrk(on + PATH, token),
            }
        )
        _show("requests/s", found)
        asked = {"plan": json.loads(DEMO.read_bytes()), "budget_cents": 100}
        with httpx.Client(base_url=off, timeout=60) as client:
            plans = _interleaved(
                {
                    "engine alone": lambda: _rate(_engine),
                    "simulate over HTTP": lambda: _rate(
                        lambda: client.post("/api/v1/runtime/simulate", json=asked).raise_for_status()
                    ),
                }
            )
        _show("plans/s", plans)


def _engine() -> None:
    catalog = load_catalog()
    one_line(simulation(simulate(load_plan(str(DEMO), catalog).plan, catalog), 0))


def _rate(call: Callable[[], object]) -> float:
    call()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        call()
        count += 1
    return count / (time.perf_counter() - began)


def _wrk(url: str, token: str | None = None) -> float:
    words = ["wrk", "-t1", "-c30", f"-d{SECONDS}s", url]
    if token:
        words += ["-H", f"Authorization: Bearer {token}"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1])


def _interleaved(cases: dict[str, Callable[[], float]]) -> dict[str, float]:
    rounds = [{name: case() for name, case in cases.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(one[name] for one in rounds) for name in cases}


def _show(unit: str, found: dict[str, float]) -> None:
    first = next(iter(found.values()))
    for name, value in found.items():
        print(f"{name:40}  {value:10,.0f} {unit}  {value / first:5.2f}x")


if __name__ == "__main__":
    main()
