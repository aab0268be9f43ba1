"""The command line: words in, one answer out, and the answer's verdict as the exit status.

Importing this loads neither typer nor a command; `table` names them, `app` loads the one that is called.
"""

import gc
import signal
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Nothing it raises gets past here."""
    # A start is mostly imports, which leave no garbage. With the usual threshold the collector looks through
    # them some thirty times, and once more at the end: together a fifth of what a short command takes.
    gc.set_threshold(100_000)
    words = sys.argv[1:] if words is None else words
    try:
        signal.signal(signal.SIGTERM, _terminate)
        from aos.cli.session import run

        return run(list(words))
    except KeyboardInterrupt:
        return 130
    finally:
        gc.freeze()


def _terminate(signum: int, _: object) -> None:
    """End as on an exit, so that what was begun is tidied up."""
    sys.exit(128 + signum)
