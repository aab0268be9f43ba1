"""The one door for chores: `nox -l` lists the sessions, `nox -s NAME` runs one in its own environment."""

import os
import shutil
from collections.abc import Sequence

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "imports", "tests", "docs"]

# What Python compiles is kept like the environments: each process of a test would do it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Many tests wait for processes that they started: one more at a time than there are cores.
WORKERS = str((os.cpu_count() or 1) + 1)
# The tests of a module share servers, of which each worker has its own.
TOGETHER = ("--dist", "loadfile")

DEV = {
    Requirement(line).name: line
    for line in nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]["dev"]
}


def debian(session: nox.Session, *programs: str, options: Sequence[str] = (), **packages: str) -> None:
    """Install those programs that are missing, from the Debian packages of the same names, or `program=package`.

    What a package starts by itself is in nobody's way: the tests start their own, on ports that are free.
    """
    path = f"{os.environ['PATH']}:/usr/sbin"
    wanted = {name: name for name in programs} | packages
    missing = [package for name, package in wanted.items() if shutil.which(name, path=path) is None]
    if missing:
        root = [] if os.geteuid() == 0 else ["sudo"]
        session.run(*root, "apt-get", "update", "-qq", external=True)
        session.run(*root, "apt-get", "install", "-y", "-qq", *options, *missing, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and likely mistakes. `nox -s lint -- --fix` mends what can be mended."""
    session.install(DEV["ruff"])
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []))
    session.run("ruff", "format", *([] if fix else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """mypy: src strictly; in the tests, the bodies."""
    session.install("-e", ".[dev,server]")
    session.run("mypy", *session.posargs)


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom (.importlinter), and whether pyproject.toml lists what src imports, no more."""
    session.install("-e", ".", DEV["import-linter"], DEV["deptry"])
    session.run("lint-imports")
    session.run("deptry", "src")


@nox.session
def tests(session: nox.Session) -> None:
    """Every test that needs Python alone. A skipped one fails the session."""
    session.install("-e", ".[dev,server]")
    command = ["pytest", "-q", "--no-skips", "-n", WORKERS, *TOGETHER]
    session.run(*command, "--ignore=tests/services", *session.posargs)


@nox.session
def services(session: nox.Session) -> None:
    """The tests that need more than Python; what Debian must give is installed first, where it is missing."""
    others = {"pg_ctlcluster": "postgresql", "systemd-analyze": "systemd", "node": "nodejs"}
    debian(session, "strace", "pgbouncer", "redis-server", "npm", **others)
    watching = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}
    debian(session, options=("--no-install-recommends",), **watching)
    session.install("-e", ".[dev,server]")
    for folder in ("tests/services/oidc", "tests/services/mcp", "examples/webhooks"):
        session.run("npm", "ci", "--silent", "--prefix", folder, external=True)
    command = ["pytest", "-q", "--no-skips", "-n", "auto", *TOGETHER]
    session.run(*command, "tests/services", *session.posargs)


@nox.session
def laws(session: nox.Session) -> None:
    """Every law with many examples, other ones each time. `-- --hypothesis-seed=N` repeats a search."""
    session.install("-e", ".[dev,server]")
    command = ["pytest", "-q", "--no-skips", "-n", "auto", "-m", "hypothesis", "--hypothesis-profile=laws"]
    session.run(*command, "--ignore=tests/services", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Send 20,000 requests, half of them broken, to every address of the server's OpenAPI document."""
    session.install("-e", ".[dev,server]")
    command = ["pytest", "-q", "tests/server/http/test_fuzz.py", "--hypothesis-profile=laws"]
    session.run(*command, *session.posargs, env={"AOS_FUZZ_CASES": "20000"})


@nox.session
def races(session: nox.Session) -> None:
    """Eight processes write one ledger while a hundred of them are killed."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "tests.races.ledger", *session.posargs)


@nox.session
def deliveries(session: nox.Session) -> None:
    """10,000 messages to receivers that misbehave, while workers are killed and keys rotate; then their speed."""
    debian(session, "pgbouncer", pg_ctlcluster="postgresql")
    session.install("-e", ".[dev,server]")
    session.run("python", "-m", "tests.races.deliveries", *session.posargs)
    session.run("python", "-m", "tests.services.bench.deliveries")


@nox.session
def histories(session: nox.Session) -> None:
    """10,000 times, a crowd at one approval request: what they were told must have been possible in some order."""
    debian(session, "pgbouncer", pg_ctlcluster="postgresql")
    session.install("-e", ".[dev,server]")
    session.run("python", "-m", "tests.races.histories", *session.posargs)


@nox.session
def kills(session: nox.Session) -> None:
    """Kill a run at every system call that changes a file."""
    debian(session, "strace")
    session.install("-e", ".[dev,server]")
    session.run("pytest", "-q", "tests/services/running/test_kills.py", env={"AOS_EVERY_KILL": "1"})


@nox.session
def look(session: nox.Session) -> None:
    """Pictures of the HTML pages, to be looked at: `nox -s look -- FOLDER`; fails where one is too wide."""
    debian(session, "chromium")
    session.install("-e", ".[dev,server]")
    session.run("python", "-m", "tests.look", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages are true: links lead somewhere, what is generated is up to date."""
    session.install("-e", ".[dev,server]")
    session.run("pytest", "-q", "--no-skips", "tests/docs", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Print every figure of docs/performance.md next to its limit."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session
def bench_server(session: nox.Session) -> None:
    """Print how fast the server answers, decides and writes, each beside what bounds it, and what memory it takes."""
    debian(session, "pgbouncer", "wrk", pg_ctlcluster="postgresql")
    session.install("-e", ".[dev,server]")
    session.run("python", "-m", "tests.services.bench.http")
    session.run("python", "-m", "tests.services.bench.policy")
    session.run("python", "-m", "tests.services.bench.memory")
    session.run("python", "-m", "tests.services.bench.writes")
    session.run("python", "-m", "tests.services.bench.approve", *session.posargs)


@nox.session
def truth(session: nox.Session) -> None:
    """Forecast runs whose outcome is known: `nox -s truth -- OUT.jsonl`."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "tests.bench.truth", *session.posargs)


@nox.session
def prices(session: nox.Session) -> None:
    """Make the snapshot of model prices anew, from the genai-prices that `dev` names."""
    session.install("-e", ".", DEV["genai-prices"])
    session.run("python", "tests/tools/build_model_prices.py", "src/aos/wire/data/model_prices.json")
