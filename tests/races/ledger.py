"""Many processes write one ledger while some of them are killed: `python -m tests.races.ledger`.

Each worker notes what the ledger told it was written, in a file of its own. In the end the ledger has to be whole and
hold all of that, and no worker may have failed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from aos.api.running.runs import show
from aos.ledger.ledger import Ledger
from aos.ledger.verify import verify
from tests.unit.ledger.build import intent, run_end, settled, start, step_end


class Outcome(NamedTuple):
    """What came of it. `lost` are writes that were confirmed and are not there, `faults` what workers said."""

    confirmed: int
    killed: int
    lost: list[str]
    damage: list[str]
    faults: list[str]


def work(path: Path, notes: Path, worker: int, runs: int) -> None:
    """Write runs, beginning with the first that was not begun; note each write once it is confirmed."""
    done = {line.split()[0] for line in notes.read_text().splitlines()} if notes.exists() else set()
    log = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(*words: str) -> None:
        os.write(log, (" ".join(words) + "\n").encode())

    with Ledger(path) as ledger:
        for n in range(runs):
            run = f"w{worker}-{n}"
            if run in done:
                continue
            note(run)
            ledger.begin(start(run, "1000"))
            note(run, "begun")
            for step in ("s1", "s2"):
                call = intent(step, run=run)
                assert ledger.intend(call)
                note(run, "intent", step)
                ledger.settle(settled(call, result={"run": run}))
                ledger.step_ended(step_end(step, run=run, output={"run": run}))
                ledger.flush()
                note(run, "settled", step)
            ledger.end(run_end(run))
            note(run, "ended")


def race(folder: Path, *, processes: int, runs: int, kills: int, seed: int = 0) -> Outcome:
    """Let them race; each one that is killed is started again, and goes on with its next run."""
    rng = random.Random(seed)
    path = folder / "ledger.db"
    workers = {worker: _started(folder, worker, runs) for worker in range(processes)}
    # By a worker before this process of it began: none is killed before it writes.
    written = dict.fromkeys(workers, 0)
    killed, faults = 0, list[str]()
    while workers:
        time.sleep(rng.uniform(0, 0.05))
        chosen = rng.choice(list(workers))
        victim = workers[chosen]
        if killed < kills and victim.poll() is None and _size(folder, chosen) > written[chosen]:
            written[chosen] = _size(folder, chosen)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            killed += 1
        for worker, process in list(workers.items()):
            if process.poll() == -signal.SIGKILL:
                workers[worker] = _started(folder, worker, runs)
            elif process.returncode is not None:
                del workers[worker]
            else:
                continue
            _, said = process.communicate()
            faults += [said.decode()] if said or process.returncode > 0 else []
    noted = [line.split() for notes in folder.glob("*.notes") for line in notes.read_text().splitlines()]
    confirmed = [words for words in noted if len(words) > 1]  # a run alone is only about to begin
    lost = [" ".join(words) for words in confirmed if not _there(path, words)]
    return Outcome(len(confirmed), killed, lost, [str(one) for one in verify(path).damage], faults)


def _started(folder: Path, worker: int, runs: int) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "tests.races.ledger", "--work", str(folder), str(worker), str(runs)]
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def _size(folder: Path, worker: int) -> int:
    notes = folder / f"{worker}.notes"
    return notes.stat().st_size if notes.exists() else 0


def _there(path: Path, words: list[str]) -> bool:
    state = show(path, words[0]).state
    match words[1:]:
        case ["begun"]:
            return True
        case ["ended"]:
            return state.status == "succeeded"
        case ["intent", step]:
            return any(one.intent.place.step == step for one in state.attempts)
        case [_, step]:
            return any(one.outcome is not None and one.intent.place.step == step for one in state.attempts)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--runs", type=int, default=200, help="of each process")
    parser.add_argument("--kills", type=int, default=100)
    asked = parser.parse_args()
    if asked.work:
        folder, worker, runs = asked.work
        work(Path(folder) / "ledger.db", Path(folder) / f"{worker}.notes", int(worker), int(runs))
        return
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        found = race(Path(folder), processes=asked.processes, runs=asked.runs, kills=asked.kills)
        took = time.monotonic() - began
        print(f"{asked.processes} processes x {asked.runs} runs, {found.killed} kills, {took:.0f} s:")
        print(f"{found.confirmed:,} writes confirmed, {len(found.lost)} lost,", end=" ")
        print(f"{len(found.damage)} damaged, {len(found.faults)} failures")
        wrong = [*found.lost, *found.damage, *found.faults]
        print(*wrong[:20], sep="\n")
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
