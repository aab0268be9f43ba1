"""Forecast recorded executions whose outcome somebody else holds, and score the forecasts on a split of one's own.

    AOS_TRUTH_DIR=FOLDER python -m tests.bench.truth OUT.jsonl [FAMILY ...]

Goes from records through `aos.api.learning.calibrate` and the simulation, and nowhere past them. Writes a prediction
for each case of the folder and prints a table of the family's scores on its public part. docs/truth.md explains both.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import TextIO

from tests.bench.truth.adapters import families
from tests.bench.truth.forecasts import learn, predict
from tests.bench.truth.scores import FOOT, HEADER, table

_BESIDE = Path(__file__).parents[4] / "shared" / "traces"


def main(arguments: list[str]) -> int:
    """Exit status: 0, or 2 where there is nothing to read or nowhere to write."""
    folder = Path(os.environ.get("AOS_TRUTH_DIR") or _BESIDE)
    if not arguments or not (folder / "cases.jsonl.gz").is_file():
        print(
            f"usage: python -m tests.bench.truth OUT.jsonl, with AOS_TRUTH_DIR set; not a folder of cases: {folder}",
            file=sys.stderr,
        )
        return 2
    began = time.perf_counter()
    print(HEADER)
    with Path(arguments[0]).open("w", encoding="utf-8") as out:
        written = _all(folder, set(arguments[1:]), out)
    print(FOOT)
    print(f"{written} predictions, {time.perf_counter() - began:.0f} s")
    return 0


def _all(folder: Path, wanted: set[str], out: TextIO) -> int:
    written = 0
    for read in families(folder):
        family = read()
        if wanted and family.name not in wanted:
            continue
        for line in table(family):
            print(line, flush=True)
        began = time.perf_counter()
        learned = learn(family.runs, family.by)
        fitted = time.perf_counter() - began
        for question in family.questions:
            out.write(json.dumps(predict(question, learned).line()) + "\n")
        written += len(family.questions)
        steps = sum(len(run.rows) for run in family.runs)
        print(f"    {steps} recorded steps learned in {fitted:.1f} s", flush=True)
    return written


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
