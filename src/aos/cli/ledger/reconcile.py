"""`aos runs reconcile`."""

from typing import Annotated, Any

from typer import BadParameter, Option

from aos.api.running import mending as api
from aos.api.running.ledgers import ledger_path
from aos.cli.again import commands
from aos.cli.answer import Answer, Look
from aos.cli.ledger.options import OneRun
from aos.cli.ledger.returned import Result, returned
from aos.cli.options import Ledger
from aos.domain.runs.run import Place
from aos.wire.records import recorded as wire

Step = Annotated[str, Option(metavar="STEP", help="The step whose attempt nobody saw the end of.")]
Item = Annotated[int, Option(min=0, metavar="N", help="Which item of its for_each, from 0.")]
Iteration = Annotated[int, Option(min=0, metavar="N", help="Which of its iterations, from 0.")]
Committed = Annotated[
    bool | None,
    Option("--committed/--not-committed", help="Whether it took effect: it is not done again, or it is."),
]


def reconcile(
    run: OneRun,
    step: Step,
    committed: Committed = None,
    item: Item = 0,
    iteration: Iteration = 0,
    result: Result = None,
    ledger: Ledger = None,
) -> Answer:
    """Say whether an attempt took effect whose end nobody saw, so that its run can be resumed."""
    if committed is None:
        raise BadParameter("say which: --committed or --not-committed", param_hint="--committed")
    if result is not None and not committed:
        raise BadParameter("what did not take effect returned nothing", param_hint="--result")
    place, then = Place(step, item, iteration), commands()
    said = returned(result)
    found, state = api.reconcile(
        ledger_path(ledger), run, place, committed=committed, result=said, commands=then
    )
    name = state.start.id
    action = then.retry(name) if state.status == "failed" else then.resume(name)

    def document() -> dict[str, Any]:
        return wire.reconciled(name, place, found, action, committed=bool(committed))

    def text(look: Look) -> str:
        from aos.report.runs import recorded

        return recorded.reconciled(place, found, action, bool(committed), *look)

    return Answer(document, text)
