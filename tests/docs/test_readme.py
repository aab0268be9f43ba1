"""The README's examples are what really happens."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_demo_prints_what_the_readme_shows() -> None:
    expected = (ROOT / "examples/plans/btc-to-slack/expected.txt").read_text(encoding="utf-8")
    assert blocks("text")[0].rstrip() == expected.rstrip()


def test_the_python_example_runs() -> None:
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    decision, p95 = done.stdout.split()
    assert decision == "feasible"
    assert float(p95) > 0
