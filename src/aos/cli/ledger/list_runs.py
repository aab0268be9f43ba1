"""`aos runs list`."""

from typing import Annotated, get_args

from typer import BadParameter, Option

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import held, listed
from aos.cli.again import commands
from aos.cli.answer import Answer, Look
from aos.cli.ledger.options import Limit
from aos.cli.options import Ledger
from aos.domain.runs.run import RunStatus
from aos.wire.records import recorded as wire

_STATUSES = get_args(RunStatus)


def status(text: str) -> str:
    """A status that a run can have."""
    if text not in _STATUSES:
        raise BadParameter(f"expected one of {', '.join(_STATUSES)}")
    return text


Status = Annotated[str | None, Option(parser=status, metavar="STATUS", help="Only runs of that status.")]


def list_runs(status: Status = None, limit: Limit = 20, ledger: Ledger = None) -> Answer:
    """The latest runs: how they ended, what they took and cost; and how well the forecasts of runs have held."""
    path = ledger_path(ledger)
    there, then = path.exists(), commands()
    lines = listed(path, limit=limit, status=status) if there else []
    forecasts = held(path) if there else None

    def text(look: Look) -> str:
        from aos.report.runs import recorded

        return recorded.runs(lines, *look, held=forecasts, commands=then)

    return Answer(lambda: wire.runs(lines, forecasts, ledger=str(path)), text)
