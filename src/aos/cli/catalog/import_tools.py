"""`aos catalog import`."""

import shlex
from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.files.drafts import draft_from_tools
from aos.cli.answer import Answer
from aos.cli.catalog.drafts import Force, Out, draft_answer, ending

File = Annotated[
    str | None, Argument(metavar="[FILE]", help="What tools/list answered; `-` is standard input.")
]
Program = Annotated[
    str | None,
    Option("--from-command", metavar="WORDS", help="Start that server and ask it: 'npx -y some-server'."),
]


def import_tools(
    file: File = None,
    program: Program = None,
    out: Out = None,
    force: Force = False,
) -> Answer:
    """Draft a catalog out of the tools of an MCP server: the answer to `tools/list`, as JSON.

    Costs, times and failures stay unknown where the server does not say them (docs/mcp.md has how). Where a tool
    leaves out what it does to the world the worst is assumed, and told.
    """
    form = ending(out, ".json", ".toml").removeprefix(".")
    return draft_answer(draft_from_tools(_source(file, program), form=form), out, replace=force)


def _source(file: str | None, program: str | None) -> str:
    if (file is None) == (program is None):
        raise BadParameter("give a file, or a server's command with --from-command", param_hint="FILE")
    if file is not None:
        return file
    try:
        words = shlex.split(program or "")
    except ValueError as error:
        raise BadParameter(f"{error}", param_hint="--from-command") from None
    if not words:
        raise BadParameter("it is empty", param_hint="--from-command")
    import json

    from aos.mcp.programs import tools_of_program

    return json.dumps(tools_of_program(words))
