"""The README's examples are what really happens."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shape(transcript: str) -> list[str]:
    """The lines with every figure, id and picture as a placeholder: they are others in every run."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{6}|msg_[0-9a-f]+|\d{4}-\d\d-\d\d", "ID", transcript)
    text = re.sub("[▁▂▃▄▅▆▇█]+", "PICTURE", text)
    text = re.sub(r"(?<![\w])(< )?\d[\d.,]*( ms| s| min)?", "N", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def test_the_demo_prints_what_the_readme_shows() -> None:
    done = subprocess.run(
        [sys.executable, "examples/demo/demo.py"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert shape(done.stdout) == shape(blocks("text")[0])


def test_the_python_example_runs() -> None:
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    decision, p95 = done.stdout.split()
    assert decision == "feasible"
    assert float(p95) > 0
