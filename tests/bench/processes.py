"""Whole commands against bare `python -c pass`: what a person or a script waits for."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from tempfile import TemporaryDirectory

from tests.bench.figures import Figure, interleaved

_DEMO = "examples/plans/btc-to-slack/plan.json"
_LIMITS: dict[str, tuple[Sequence[str], bool, float]] = {
    "capabilities --json": (("capabilities", "--json"), False, 7),
    "skills --json": (("skills", "--json"), False, 7),
    "skill http_call --json": (("skill", "http_call", "--json"), False, 7),
    "explain too_close --json": (("explain", "too_close", "--json"), False, 7),
    "version --json": (("version", "--json"), False, 7),
    "--help": (("--help",), False, 8),
    "skills, as a table": (("skills",), True, 11),
    "simulate the demo, --json": (("simulate", _DEMO, "--budget", "100", "--json"), False, 20),
    "simulate the demo, in a terminal": (("simulate", _DEMO, "--budget", "100"), True, 24),
}


def measure(rounds: int = 15) -> Iterator[Figure]:
    with TemporaryDirectory() as home:  # with a ledger of nobody's: `aos skill` says what is recorded
        jobs = {"bare": partial(_run, (sys.executable, "-c", "pass"), False, home)}
        for name, (arguments, terminal, _) in _LIMITS.items():
            jobs[name] = partial(_run, (sys.executable, "-m", "aos", *arguments), terminal, home)
        taken = interleaved(jobs, rounds)
    for name, (_, _, limit) in _LIMITS.items():
        yield Figure(f"aos {name}", taken[name] / taken["bare"], "x", limit, False)


def _run(command: Sequence[str], terminal: bool, home: str) -> None:
    """Run to the end; in a terminal the output goes to a pseudo-terminal that is read as it comes."""
    env = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "TERM": "xterm-256color"}
    if not terminal:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=env)
        return
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, env=env) as child:
        os.close(theirs)
        try:
            while os.read(ours, 65_536):
                pass
        except OSError:
            pass  # Linux reports the end of a pseudo-terminal as an error
        finally:
            os.close(ours)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
