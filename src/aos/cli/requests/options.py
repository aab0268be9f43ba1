"""What several commands about requests take."""

from typing import Annotated

from typer import Argument, BadParameter, Option

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str) -> int:
    """A time of whole seconds: "90s", "30m", "2h", "1d"."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_S or not (number.isascii() and number.isdecimal()) or len(number) > 9:
        raise BadParameter("expected a time such as 90s, 30m, 2h or 1d")
    return int(number) * _UNITS_S[unit]


RequestId = Annotated[str, Argument(metavar="ID", help="The request, as `aos requests` shows it.")]
RequestIds = Annotated[list[str] | None, Argument(metavar="[ID]...", help="The requests.")]
Why = Annotated[str | None, Option("--why", metavar="TEXT", help="The reason; it is kept with the decision.")]
Digest = Annotated[
    str | None,
    Option("--digest", metavar="sha256:…", help="What was looked at; needed where nobody can be asked."),
]
Wait = Annotated[bool, Option("--wait", help="Wait until it is decided.")]
Timeout = Annotated[
    int | None,
    Option("--timeout", parser=seconds, metavar="TIME", help="With --wait: how long, such as 90s or 2h."),
]
Status = Annotated[
    str | None,
    Option(
        "--status",
        metavar="STATUS",
        help="pending, escalated, approved, rejected, expired, cancelled or consumed.",
    ),
]
Level = Annotated[int | None, Option("--level", min=1, max=5, metavar="N", help="Only those of that level.")]
Skill = Annotated[str | None, Option("--skill", metavar="NAME", help="Only those for a call of that skill.")]
PlanName = Annotated[
    str | None, Option("--plan-name", metavar="NAME", help="Only those for a plan of that name.")
]
Tenant = Annotated[str | None, Option("--tenant", metavar="NAME", help="The tenant; it has to be yours.")]
