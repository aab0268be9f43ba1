"""`aos webhooks listen`."""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Annotated

from typer import Option

from aos.api.server.listening import listening, secrets_in, secrets_of
from aos.api.server.session import session
from aos.cli.answer import Stream, write
from aos.cli.server import Context, Server
from aos.errors import Exit
from aos.wire.encode import one_line
from aos.wire.results.documents import envelope

Port = Annotated[
    int, Option("--port", metavar="PORT", min=0, max=65_535, help="Of this machine alone; 0: a free one.")
]
Secrets = Annotated[
    Path | None,
    Option("--secret", metavar="FILE", help="A file of secrets to verify with, one a line; `-` is stdin."),
]
Of = Annotated[
    str | None, Option("--webhook", metavar="WEBHOOK", help="Ask the server for that webhook's secrets.")
]
Count = Annotated[int | None, Option("--count", metavar="N", min=1, help="End after so many messages.")]


def listen(
    port: Port = 9000,
    secret: Secrets = None,
    webhook: Of = None,
    count: Count = None,
    server: Server = None,
    context: Context = None,
) -> Stream:
    """Receive messages on this machine, and print each as a line of JSON with what verifying it has shown.

    What verifies is answered 204, anything else with a reason. Without secrets nothing is verified and all of it is
    answered 204. For a server on this machine: `aos-server dev`, or one that has 127.0.0.1
    in AOS_WEBHOOK_HOSTS.
    """
    live = [] if secret is None else secrets_in(secret)
    if webhook is not None:
        asked = session(server, context)
        with asked.client as client:
            live += secrets_of(client, webhook)

    def lines() -> Generator[tuple[str, Exit]]:
        with listening(port, live, count) as (url, received):
            write(sys.stderr, f"listening at {url}{'' if live else ', verifying nothing'}; Ctrl-C ends it")
            for one in received:
                document = {**envelope("aos.webhook-received/1"), **one}
                yield one_line(document), Exit.NO if one["verified"] is False else Exit.YES

    return Stream(lines())
