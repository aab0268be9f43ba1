"""Runs the command line as its users do: as a process."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from tests.cli.warm import Warm, scratch

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples/plans/btc-to-slack/plan.json"

STEP = {"skill": "fs_read", "params": {"path": "notes.txt"}}


class Finished(NamedTuple):
    """A process that has ended."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def document(self) -> dict[str, Any]:
        """What --json printed: one JSON object in one line, and nothing else anywhere."""
        assert self.err == b"", self.err.decode()
        assert self.out.count(b"\n") == 1
        document = json.loads(self.out)
        assert isinstance(document, dict)
        assert list(document)[:2] == ["schema", "aos_version"]
        assert document.get("exit_code", self.status) == self.status or document["schema"] == "aos.explain/1"
        return document


def aos(
    *words: str,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run `aos WORDS` with nothing of this process's environment but what Python needs.

    Python is started for it only where `env` holds what is not ours: a library may read that when it is loaded.
    """
    env = env or {}
    everything = {**clean(cwd), **env}
    if not all(name.startswith(("AOS_", "XDG_")) for name in env):
        done = subprocess.run(
            command(*words), input=stdin, capture_output=True, cwd=cwd, env=everything, timeout=60
        )
        return Finished(done.returncode, done.stdout, done.stderr)
    with scratch(stdin) as given, scratch() as out, scratch() as err:
        files = [file.fileno() for file in (given, out, err)]
        status = _warm().run(words, files, cwd or Path.cwd(), everything, seconds=60)
        return Finished(status, _whole(out), _whole(err))


@functools.cache
def _warm() -> Warm:
    # As `aos` sets it before numpy is loaded.
    return Warm({**clean(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def command(*words: str) -> list[str]:
    """The words of the process."""
    return [sys.executable, "-m", "aos", *words]


def clean(data: Path | None = None) -> dict[str, str]:
    """Where Python finds aos, and nothing else; the ledger is in `aos` below `data`, not that of who tests."""
    found = {
        key: os.environ[key] for key in ("PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX") if key in os.environ
    }
    return {**found, "XDG_DATA_HOME": str(data or Path(tempfile.gettempdir()) / "none" / str(os.getpid()))}


def inline(*steps: Mapping[str, Any], **keys: Any) -> str:
    """A plan as one argument."""
    return json.dumps({"aos_plan": "1", "steps": list(steps), **keys})
