"""`aos mcp` and a client that shares no line of code with it: the protocol's library for Node."""

import json
import subprocess
from pathlib import Path

from aos.mcp.tools import ALWAYS
from tests.cli.process import DEMO, aos, clean, command

HERE = Path(__file__).parent


def test_a_client_in_another_language_is_told_the_same(tmp_path: Path) -> None:
    words = ["node", str(HERE / "client.mjs"), *command("mcp")]
    done = subprocess.run(
        words, input=DEMO.read_bytes(), capture_output=True, cwd=tmp_path, env=clean(tmp_path), timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout)
    here = aos("simulate", str(DEMO), "--deadline", "800", "--json", cwd=tmp_path).document
    assert told.pop("verdict") == here
    assert told.pop("progress")[0] == 10_000
    assert told == {
        "server": "aos",
        "tools": [tool.name for tool in ALWAYS],
        "wrong": [True, "invalid_plan"],
        "others": ["aos.skill-list/1", "aos.mcp-session/1"],
        "guide": "# Plans for aos",
        "refused": -32602,
    }
