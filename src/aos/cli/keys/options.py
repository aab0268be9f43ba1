"""What the commands about keys share."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Annotated, Any

from typer import Argument, Option

from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.errors import Exit
from aos.sdk.client import Client
from aos.wire.results.documents import envelope

__all__ = ["DryRun", "Version", "answered", "shown"]

Version = Annotated[str, Argument(metavar="VERSION", help="v1, v2 …")]
DryRun = Annotated[bool, Option("--dry-run", help="Say what would change, and change nothing.")]


def answered(
    ask: Callable[[Client], Mapping[str, Any]],
    schema: str,
    text: str,
    server: str | None,
    context: str | None,
) -> Answer:
    """What a server says to `ask`; `text` names the function of `aos.report.server.keys` that shows it to people."""
    asked = session(server, context)
    with closing(asked.client) as client:
        return shown({**ask(client), **envelope(schema), "server": asked.url}, text)


def shown(document: Mapping[str, Any], text: str, status: Exit = Exit.YES) -> Answer:
    """A document about keys."""

    def told(_: object) -> str:
        from aos.report.server import keys as report

        rendered: str = getattr(report, text)(document)
        return rendered

    return Answer(lambda: document, told, status)
