"""What every test shares: how hard hypothesis searches, and an option that forbids skipping."""

import os

import pytest
from hypothesis import settings

# Without a deadline: on a shared machine a slow example says nothing about the code.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail the run if a test was skipped")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn green to red where `--no-skips` was given and a test or a whole module was skipped."""
    reporter: pytest.TerminalReporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ()))
    if skipped and session.config.getoption("no_skips"):
        reporter.write_line(f"\n--no-skips: {skipped} skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
