"""`aos help`."""

from typing import Annotated

from typer import Argument

from aos.cli.answer import Answer, Look
from aos.cli.app import context_of, help_answer


def help(
    topic: Annotated[
        list[str] | None, Argument(metavar="[COMMAND]", help="A command, or `exit-codes`.")
    ] = None,
) -> Answer:
    """The help of a command; `exit-codes` is the table of exit statuses."""
    if topic == ["exit-codes"]:
        return Answer(_exit_codes, _exit_codes_text)
    return help_answer(context_of(topic or []))


def _exit_codes() -> dict[str, object]:
    from aos.wire.codes import exit_codes
    from aos.wire.results.documents import envelope

    return {**envelope("aos.exit-codes/1"), "exit_codes": exit_codes()}


def _exit_codes_text(look: Look) -> str:
    from aos.report import tables

    return tables.exit_codes(*look)
