"""`aos explain`."""

from typing import Annotated

from typer import Argument

from aos.api.files.explain import find_code
from aos.cli import suggest
from aos.cli.answer import Answer, Look
from aos.wire.codes import codes, explanation


def explain(
    code: Annotated[
        str | None,
        Argument(metavar="[CODE]", help="A code; without one, all are listed.", autocompletion=suggest.codes),
    ] = None,
) -> Answer:
    """What a reason or an error means, what to do about it, and which statuses it has."""
    if code is None:
        return Answer(codes, _list)
    name = find_code(code)

    def text(look: Look) -> str:
        from aos.report import tables

        return tables.explain(name, *look)

    return Answer(lambda: explanation(name), text)


def _list(look: Look) -> str:
    from aos.report import tables

    return tables.codes(*look)
