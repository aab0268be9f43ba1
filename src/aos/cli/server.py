"""What the commands that talk to a server share."""

from typing import Annotated

from typer import Option

Server = Annotated[
    str | None,
    Option(
        "--server", metavar="URL", help="The server to ask (else AOS_BASE_URL, else that of the context)."
    ),
]
Context = Annotated[
    str | None, Option("--context", metavar="NAME", help="A login by its name (else the last one).")
]
