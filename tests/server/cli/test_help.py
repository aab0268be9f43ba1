"""What `aos-server` says of itself."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("group", [[], ["key"], ["keys"], ["jobs"]])
def test_what_a_command_does_is_said_whole(group: list[str]) -> None:
    shown = [
        subprocess.run(
            [sys.executable, "-m", "aos_server", *group, word], capture_output=True, text=True, check=True
        )
        for word in ("--help", "-h")
    ]
    assert shown[0].stdout == shown[1].stdout
    assert "..." not in shown[0].stdout.partition("Commands:")[2]
    assert max(map(len, shown[0].stdout.splitlines())) <= 80


def test_help_loads_nothing_of_what_serves() -> None:
    words = "import sys; from aos_server.cli.app import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    said = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "cryptography", "psycopg", "pydantic", "starlette", "uvicorn", "aos_server.keystores"}
    loaded = set(said.stderr.split())
    assert "aos_server.cli.serving.serve" in loaded
    assert heavy & loaded == set()
