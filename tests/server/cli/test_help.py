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
