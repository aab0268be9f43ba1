"""`aos catalog init`."""

from typing import Annotated

from typer import Argument

from aos.api.files.drafts import draft_skill
from aos.cli.answer import Answer
from aos.cli.catalog.drafts import Force, Out, draft_answer, ending


def init(
    skill: Annotated[str, Argument(help="The id of the skill.")],
    out: Out = None,
    force: Force = False,
) -> Answer:
    """Draft a catalog with one skill in it: a commented TOML file to fill in.

    `aos catalog check` accepts it as it stands; nothing is known of the skill until you say it.
    """
    ending(out, ".toml")
    return draft_answer(draft_skill(skill), out, replace=force)
