"""The whole tool in a minute: forecast a plan, run it, see it recover, ask what happened, forecast it better.

    python examples/demo/demo.py

Needs no network, no account and no configuration: both services that the plan calls run on this machine, and the
record goes to a folder that is deleted at the end.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from services import PriceApi, Receiver, serve

from aos.webhooks import new_secret

HERE = Path(__file__).parent
RUNS = 12


def main() -> None:
    """Show the five steps."""
    Receiver.secret = new_secret()
    prices, receiver = serve(PriceApi), serve(Receiver)
    with TemporaryDirectory() as folder:
        shell = Shell(Path(folder), {"AOS_SECRET_DEMO_KEY": Receiver.secret})
        given = ["--input", f"prices={prices}", "--input", f"receiver={receiver}"]
        local = [*given, "--allow-private", "--ledger", "runs.db", "--yes"]

        say("What can I call?")
        shell.aos("skills", lines=5)
        say("What will it cost, how long will it take, will it work?")
        shell.aos("simulate", "plan.json", hidden=given, lines=9)
        say("Then run it. The price API will not answer the first call in time.")
        shell.aos("run", "plan.json", hidden=local)
        print(f"\nThe receiver has verified the signature of: {Receiver.messages[-1]}")
        say("What did I try already?")
        shell.aos("query", "what_did_i_try_already", "--ledger", "runs.db")
        say(f"Every run is a lesson: {RUNS} more, then learn from them.")
        for _ in range(RUNS):
            shell.quietly("run", "plan.json", *local, "--samples", "1000")
        shell.aos("calibrate", "--ledger", "runs.db", "--out", "learned.json", lines=4)
        shell.aos("simulate", "plan.json", "--catalog", "learned.json", hidden=given, lines=9)


class Shell:
    """Runs `aos` in a folder and shows what a terminal would show: the first `lines` of it."""

    def __init__(self, folder: Path, secrets: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**os.environ, **secrets, "COLUMNS": "80", "NO_COLOR": "1"}
        (folder / "plan.json").write_bytes((HERE / "plan.json").read_bytes())

    def aos(self, *words: str, hidden: list[str] | None = None, lines: int = 100) -> None:
        """Show a command and its output. `hidden` words are where the services are: they change every time."""
        print(f"\n$ aos {' '.join(words)}{' ...' if hidden else ''}", flush=True)
        shown = self._run(*words, *(hidden or ())).splitlines()
        print("\n".join([*shown[:lines], *(["..."] if len(shown) > lines else [])]), flush=True)

    def quietly(self, *words: str) -> None:
        """Run a command for its effect."""
        self._run(*words)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "aos", *words],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{done.stdout}\naos {words[0]} ended with status {done.returncode}")
        return done.stdout


def say(text: str) -> None:
    """A line between two commands."""
    print(f"\n# {text}", flush=True)


if __name__ == "__main__":
    main()
