"""What several commands take, and what they do with it."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar

from typer import Argument, BadParameter, Option

from aos.cli.values import cents, day

T = TypeVar("T")

Catalogs = Annotated[
    list[str] | None,
    Option("--catalog", metavar="FILE", help="A catalog that adds and overrides. May be given again."),
]
Inputs = Annotated[
    list[str] | None,
    Option(
        "--input",
        metavar="NAME=VALUE",
        help="An input of the plan; a VALUE that is JSON is read as JSON. May be given again.",
    ),
]
Budget = Annotated[
    Decimal | None, Option(parser=cents, metavar="CENTS", help="The most that it may cost: 100 is a dollar.")
]
On = Annotated[
    date | None,
    Option(
        parser=day,
        metavar="DAY",
        help="The day it is for, 2026-01-31 or `today`: figures measured long before are less sure.",
    ),
]
Ledger = Annotated[
    Path | None,
    Option("--ledger", metavar="FILE", help="The ledger; unless said, ledger.db in the folder of your data."),
]
PlanArgument = Annotated[
    str | None, Argument(metavar="[PLAN]", help="A plan: .json, .yaml or .toml; `-` is standard input.")
]
PlanOption = Annotated[
    str | None, Option("--plan", metavar="PATH|JSON", help="The plan as a path, or as JSON itself.")
]


def one_plan(argument: str | None, option: str | None) -> str:
    """Where the plan is: given as an argument or with --plan, but once."""
    if argument is None and option is None:
        raise BadParameter("give a plan: a path, or `-` for standard input", param_hint="PLAN")
    if argument is not None and option is not None:
        raise BadParameter("give the plan as an argument or with --plan, not both", param_hint="PLAN")
    return argument or option or ""


def refuse(*rules: tuple[object, str, str]) -> None:
    """Raises BadParameter by the first of these rules (what is wrong if it is so, the option, why) that is broken."""
    for wrong, option, why in rules:
        if wrong:
            raise BadParameter(why, param_hint=option)


def first(*values: T | None, otherwise: T) -> T:
    """The first value that was given."""
    return next((value for value in values if value is not None), otherwise)
