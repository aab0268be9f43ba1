"""Write what each example of a policy is expected to print: `python -m tests.tools.build_policy_examples`.

`examples/policies/NAME/` holds rules, the `options.txt` with the plan they are asked about, and the expected
`expected.json` and `expected.txt` (80 columns, no colour).
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "examples/policies").glob("*/options.txt"))


def printed(folder: Path, *more: str) -> tuple[int, str]:
    """The exit status and output of `aos policy eval` on an example, as in a pipe of 80 columns."""
    words = [*shlex.split((folder / "options.txt").read_text()), "--policy", str(folder.relative_to(ROOT))]
    command = [sys.executable, "-m", "aos", "policy", "eval", *words, *more]
    plain = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=plain, encoding="utf-8")
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


def as_json(folder: Path) -> str:
    """The document, readable."""
    return json.dumps(json.loads(printed(folder, "--json")[1]), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for example in FOLDERS:
        (example / "expected.json").write_text(as_json(example), encoding="utf-8")
        (example / "expected.txt").write_text(printed(example)[1], encoding="utf-8")
