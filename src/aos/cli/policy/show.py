"""`aos policy show`."""

from typing import Annotated

from typer import Argument

from aos.api.server.policy_versions import number_of
from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told


def show(
    version: Annotated[str, Argument(metavar="[VERSION]", help="Its number, or `active`.")] = "active",
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Show one version of the rules: who pushed it, when and why, and its text. Unless said, the one that is active."""
    return told(
        lambda client: client.policy(number_of(client, version)),
        "aos.policy-version/1",
        "policy_versions.version",
        server,
        context,
    )
