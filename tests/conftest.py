"""What every test shares: how hard hypothesis searches, and an option that forbids skipping."""

import importlib
import pkgutil
import signal

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

import aos
import aos_server

# No profile minds the clock: on a shared machine a slow example says nothing about the code.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)

# Unless told otherwise a run of the tests says of the same code what the last one said, and says it soon: a law that
# fails prints the call to @reproduce_failure, with which `--hypothesis-profile=laws` finds the smallest example.
settings.register_profile(
    "fixed", _PATIENT, max_examples=25, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("laws", _PATIENT, max_examples=300)
settings.load_profile("fixed")

# What a shell starts in the background is deaf to Ctrl-C, and so would be every process that a test sends it to.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Whoever ends the tests leaves no server of theirs behind: fixtures are torn down as after Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail the run if a test was skipped")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load all of our modules before the first law: hypothesis tries the constants of those that are loaded, so its
    examples would depend on which tests had run in the same process."""
    if any(is_hypothesis_test(getattr(item, "obj", None)) for item in session.items):
        for package in (aos, aos_server):
            for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                if not name.endswith(".__main__") and ".migrations." not in name:
                    importlib.import_module(name)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn green to red where `--no-skips` was given and a test or a whole module was skipped."""
    reporter: pytest.TerminalReporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ()))
    if skipped and session.config.getoption("no_skips"):
        reporter.write_line(f"\n--no-skips: {skipped} skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
