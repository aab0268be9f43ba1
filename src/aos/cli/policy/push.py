"""`aos policy push`."""

from typing import Annotated

from typer import Argument, Option

from aos.api.server.policy_versions import text_of
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.policy.options import warnings
from aos.cli.server import Context, Server
from aos.wire.problems import visible
from aos.wire.results.documents import envelope

Places = Annotated[list[str], Argument(metavar="DIR...", help=".cedar files, or folders of them.")]
Message = Annotated[str, Option("--message", "-m", metavar="TEXT", help="What is new, for people.")]


def push(
    places: Places,
    message: Message = "",
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Keep rules on a server as the next version. They hold once `aos policy activate` says so.

    Everything that is wrong with them is told at once, as by `aos policy check`, and then nothing is kept. The same
    text again is the version that it was.
    """
    files = text_of(places)
    asked = session(server, context)
    with asked.client as client:
        said = client.push_policy(files, message)
    document = {**said, **envelope("aos.policy-receipt/1"), "server": asked.url}

    def text(look: Look) -> str:
        return f"version {said['version']}  {visible(str(said['policy_digest']))}"

    return Answer(lambda: document, text, aside=warnings(said))
