"""`aos query`."""

from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.files.sources import load_catalog
from aos.api.running.queries import QUERIES, Question, ask, document, exit_status
from aos.cli import suggest
from aos.cli.answer import Answer, Look
from aos.cli.options import Budget, Catalogs, Ledger
from aos.cli.server import Elsewhere, answered
from aos.files.config import find_config


def query(
    query_type: Annotated[
        str,
        Argument(metavar="TYPE", help=f"One of {', '.join(QUERIES)}.", autocompletion=suggest.queries),
    ],
    goal: Annotated[
        str | None, Option(metavar="TEXT", help="What is to be reached, in your own words.")
    ] = None,
    run: Annotated[
        str | None, Option(metavar="RUN", help="About that run: its id, or how it starts.")
    ] = None,
    step: Annotated[str | None, Option(metavar="STEP", help="About that step.")] = None,
    budget: Budget = None,
    ledger: Ledger = None,
    catalogs: Catalogs = None,
    server: Elsewhere = None,
) -> Answer:
    """Answer one question: about the skills there are, the budget that is left, or past runs.

    The exit status is 5 where the answer is unknown, since nothing has been recorded.
    """
    if server is not None:
        if ledger or catalogs or budget is not None:
            raise BadParameter("the server has its own ledger, catalog and budget", param_hint="--server")
        params = {key: value for key, value in (("goal", goal), ("step", step)) if value is not None}
        return answered(server, query_type, params, run)
    config = find_config()
    known = load_catalog(catalogs or (), config)
    question = Question(known, goal, budget, config.budget_cents, run, step, ledger)
    reply = ask(query_type, question)

    def text(look: Look) -> str:
        from aos.report import tables

        return tables.answer(reply.query_type, reply.result, reply.unknowns, *look)

    return Answer(lambda: document(reply), text, exit_status(reply))
