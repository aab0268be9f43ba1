"""Print every figure next to its limit; exit 1 where one is missed. `python -m tests.bench [engine|...]`."""

import os
import sys
from importlib import import_module

ROOMS = ("engine", "contention", "many", "memory", "alternatives", "runs", "processes", "records", "policy")


def main(rooms: list[str]) -> int:
    missed = 0
    for room in rooms or ROOMS:
        print(f"-- {room}", flush=True)
        for figure in import_module(f"tests.bench.{room}").measure():
            print(figure, flush=True)
            missed += not figure.kept
    return min(missed, 1)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
