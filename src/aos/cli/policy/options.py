"""What the commands about rules take."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from aos.cli.options import first
from aos.wire.problems import visible

if TYPE_CHECKING:
    from aos.domain.approvals.policies import Principal

PolicyPlace = Annotated[
    str | None,
    Option(
        "--policy", metavar="DIR", help="Rules: a .cedar file, or a folder of them; else those that ship."
    ),
]
SimulatePolicy = Annotated[
    str | None,
    Option("--policy", metavar="DIR", help="Rules to hold it against: a .cedar file, or a folder."),
]
Agent = Annotated[
    str | None, Option("--agent", metavar="ID", help="The agent that asks; here `local` unless said.")
]
Tenant = Annotated[str | None, Option("--tenant", metavar="ID", help="Its tenant; here `local` unless said.")]


def principal(tenant: str | None, agent: str | None) -> "Principal":
    """Who asks."""
    from aos.domain.approvals.policies import Principal

    anyone = Principal()
    return Principal(first(tenant, otherwise=anyone.tenant), first(agent, otherwise=anyone.agent))


def warnings(said: Mapping[str, Any]) -> tuple[str, ...]:
    """What a server says may be a slip, a line each."""
    return tuple(visible(str(one["detail"]), 400) for one in said["warnings"])
