"""What memory a server has before and under hostile load: `nox -s bench_server`."""

from tests.server.limits.hostile import assault, resident_mb
from tests.server.processes import aos_server

ROUNDS = 100


def main() -> None:
    """The largest process of a development server: there the worker and the auth service are in it, too."""
    with aos_server("dev", "--port", "0", env={"RATE_LIMIT_ENABLED": "false"}) as served:
        _show("memory before any request", served.process.pid)
        for done in range(ROUNDS + 1):
            if done in (1, ROUNDS // 10, ROUNDS):
                _show(f"memory after {done:,} rounds of hostile load", served.process.pid)
            assault(served.url)


def _show(what: str, pid: int) -> None:
    print(f"{what:45}  {max(resident_mb(pid).values()):8.1f} MB", flush=True)


if __name__ == "__main__":
    main()
