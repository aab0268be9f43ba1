"""`aos catalog import`."""

from typing import Annotated

from typer import Argument

from aos.api.files.drafts import draft_from_tools
from aos.cli.answer import Answer
from aos.cli.catalog.drafts import Force, Out, draft_answer, ending


def import_tools(
    file: Annotated[str, Argument(metavar="FILE", help="What tools/list answered; `-` is standard input.")],
    out: Out = None,
    force: Force = False,
) -> Answer:
    """Draft a catalog out of the tools of an MCP server: the answer to `tools/list`, as JSON.

    Costs, times and failures stay unknown, for tools don't tell them. Where a tool leaves out what it does to
    the world the worst is assumed, and told.
    """
    form = ending(out, ".json", ".toml").removeprefix(".")
    return draft_answer(draft_from_tools(file, form=form), out, replace=force)
