"""`aos loadtest`."""

from contextlib import ExitStack
from functools import partial
from typing import Annotated

from typer import BadParameter, Option

from aos.api.server.loadtest import CALLS, What, counters_of, load
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.forecast.progress import Progress
from aos.cli.options import first
from aos.cli.server import Context, Server
from aos.cli.values import milliseconds, share
from aos.domain.loads import Goal, judge
from aos.errors import Exit
from aos.wire.results.loads import load_test

__all__ = ["loadtest"]

_EXITS = {True: Exit.YES, False: Exit.NO, None: Exit.UNDETERMINED}


def _what(text: str) -> What:
    if text not in CALLS:
        raise BadParameter(f"expected one of {', '.join(CALLS)}")
    return text


Workers = Annotated[
    int,
    Option("--workers", metavar="N", min=1, max=500, envvar="STRESS_WORKERS", help="How many call at once."),
]
Ops = Annotated[
    int,
    Option(
        "--ops",
        metavar="N",
        min=1,
        max=100_000,
        envvar="STRESS_OPS_PER_WORKER",
        help="Calls that each makes, one after the other.",
    ),
]
Calls = Annotated[
    list[str] | None,
    Option(
        "--call", parser=_what, metavar="WHAT", help="evaluate, read or simulate; again for more, in turn."
    ),
]
P95 = Annotated[
    float | None,
    Option("--p95", parser=milliseconds, metavar="TIME", help="Within it 95 % are answered; 500ms."),
]
Errors = Annotated[
    float | None,
    Option("--max-errors", parser=share, metavar="SHARE", help="What share may go wrong; 0 unless said."),
]


def loadtest(
    workers: Workers = 30,
    ops: Ops = 100,
    calls: Calls = None,
    p95: P95 = None,
    max_errors: Errors = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Call a server from many workers at once, and say whether it answers as fast and as well as is asked for.

    The calls change nothing: `evaluate` asks for a policy decision, `read` for the latest requests, `simulate` for a
    forecast; the first two in turn unless said. Each worker waits for its answer before its next call, so a slow
    server is asked less. What a caller may ask in a minute is limited: take a service key with a limit of its own.

    The exit status is 3 where it is too slow, or more goes wrong than may; 5 where the test can't tell.
    """
    asked = session(server, context)
    with ExitStack() as stack:
        client = stack.enter_context(asked.client)
        callers = [stack.enter_context(client.another(retries=0)) for _ in range(workers)]
        progress = stack.enter_context(Progress("calls made"))
        chosen: list[What] = list(calls or ("evaluate", "read"))  # type: ignore[arg-type]
        measured = load(callers, chosen, ops, partial(counters_of, client), progress)
    goal = Goal(first(p95, otherwise=500.0), first(max_errors, otherwise=0.0))
    judged = judge(measured, goal)
    status = _EXITS[judged.passed]
    document = load_test(measured, goal, judged, server=asked.url, exit_status=status)

    def text(look: Look) -> str:
        from aos.report.server import loadtest as report

        return report.load_test(document, *look)

    return Answer(lambda: document, text, status)
