"""Write what each example is expected to print: `python -m tests.tools.build_examples`.

`examples/plans/NAME/` holds a plan, the `options.txt` it is simulated with (where there are any), and the expected
`expected.json` and `expected.txt` (80 columns, no colour).
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "examples" / "plans").glob("*/plan.*"))


def printed(folder: Path, *more: str) -> tuple[int, str]:
    """The exit status and output of `aos simulate` on an example, as in a pipe of 80 columns."""
    (plan,) = folder.glob("plan.*")
    options = folder / "options.txt"
    words = shlex.split(options.read_text()) if options.exists() else []
    command = [sys.executable, "-m", "aos", "simulate", str(plan.relative_to(ROOT)), *words, *more]
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
