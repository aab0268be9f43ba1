"""What `aos requests create` takes of its own."""

from typing import Annotated

from typer import Option

from aos.cli.requests.options import seconds

Justification = Annotated[
    str, Option("--why", metavar="TEXT", help="Why it should be run: approvers read it.")
]
Expires = Annotated[
    int | None,
    Option("--expires", parser=seconds, metavar="TIME", help="How long it waits: 60s to 7d, else a day."),
]
Escalates = Annotated[
    int | None,
    Option(
        "--escalate-after",
        parser=seconds,
        metavar="TIME",
        help="Ask the next level each time that nobody decides for so long.",
    ),
]
AtLeast = Annotated[
    int | None, Option("--level", min=1, max=5, metavar="N", help="Ask people of at least that level.")
]
Agent = Annotated[str | None, Option("--agent", metavar="NAME", help="The agent that will run it.")]
Webhook = Annotated[
    str | None,
    Option("--webhook", metavar="URL", help="Who is told what becomes of it, in a signed message."),
]
Resume = Annotated[
    str | None,
    Option("--resume", metavar="RUN", help="The plan of that run, which waits for another approval."),
]
Uses = Annotated[int | None, Option("--uses", min=1, max=1000, metavar="N", help="How often it may be run.")]
