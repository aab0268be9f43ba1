"""A small run with an effect in each of two steps, as a process: `python -m tests.services.running.one_run FOLDER`.

Begun or gone on with, it does what the ledger's contract asks of whoever carries out a run, and no more: the intent
before the effect, the outcome after, nothing again that may have happened. The exit status is 8 where a person has to
say whether it did.
"""

import os
import sys
from pathlib import Path

from aos.errors import AosError
from aos.ledger.ledger import Ledger
from tests.unit.ledger.build import intent, run_end, settled, start, step_end

STEPS = ("s1", "s2")


def carry_out(folder: Path) -> int:
    with Ledger(folder / "ledger.db") as ledger:
        try:
            attempts = ledger.resume("r1", 1.0, None).attempts
        except AosError as error:
            if error.code == "run_conflict":
                return 0  # it has ended
            ledger.begin(start(budget=None))
            attempts = ()
        for step in STEPS:
            made = [one for one in attempts if one.intent.place.step == step]
            if any(one.outcome is None for one in made):
                return 8
            if not any(one.outcome and one.outcome.success for one in made):
                call = intent(step, len(made) + 1)
                assert ledger.intend(call)
                affect(folder, step)
                ledger.settle(settled(call, result=step))
                ledger.step_ended(step_end(step, output=step))
        ledger.end(run_end())
    return 0


def affect(folder: Path, step: str) -> None:
    """What can be seen from outside, and can't be undone."""
    file = os.open(folder / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{step}\n".encode())
    os.close(file)


if __name__ == "__main__":
    sys.exit(carry_out(Path(sys.argv[1])))
