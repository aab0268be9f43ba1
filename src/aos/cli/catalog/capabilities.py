"""`aos capabilities`."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from typer import BadParameter, Option

from aos.api.files.sources import load_catalog
from aos.cli.answer import Answer, Look
from aos.cli.options import Catalogs, Ledger
from aos.cli.server import Elsewhere, capable
from aos.files.config import find_config
from aos.wire.catalogs import capabilities as wire

COMMANDS = Path(__file__).parents[1] / "commands.json"
"""Every command with its arguments, made from the commands themselves: none has to be imported to tell."""


def capabilities(
    state: Annotated[bool, Option("--state", help="Add budget and rates as recorded in the ledger.")] = False,
    ledger: Ledger = None,
    catalogs: Catalogs = None,
    server: Elsewhere = None,
) -> Answer:
    """Everything that can be done here: as a table the skills; with --json also commands, codes and limits.

    With --server, what you can do there: skills, permissions, rates, budget.
    """
    if server is not None:
        if state or ledger or catalogs:
            raise BadParameter("the server has its own ledger and catalog", param_hint="--server")
        return capable(server)
    config = find_config()
    catalog = load_catalog(catalogs or (), config)

    def recorded() -> tuple[Mapping[str, Any], Mapping[str, str]]:
        from aos.api.running.history import Question, state_of

        question = Question(catalog, usual_cents=config.budget_cents, ledger=ledger)
        return state_of(question, time.time() * 1000)

    def document() -> dict[str, Any]:
        commands = json.loads(COMMANDS.read_bytes())
        return wire.capabilities(catalog, commands, *(recorded() if state else ()))

    def text(look: Look) -> str:
        from aos.report import tables

        skills = tables.skills(catalog.skills.values(), *look)
        if not state:
            return skills
        known, why = recorded()
        rates = known["rates"] and [{"skill": name, **rate} for name, rate in known["rates"].items()]
        return f"{skills}\n{tables.answer('state', {**known, 'rates': rates}, why, *look)}"

    return Answer(document, text)
