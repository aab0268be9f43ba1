"""What the commands about backups take."""

from typing import Annotated

from typer import Argument, Option

from aos.cli.requests.options import seconds

__all__ = ["Name", "Timeout", "Wait"]

Name = Annotated[str, Argument(metavar="NAME", help="As `aos backup list` shows it.")]
Wait = Annotated[bool, Option("--wait", help="Wait until a worker has done it.")]
Timeout = Annotated[
    int | None,
    Option(
        "--timeout", parser=seconds, metavar="TIME", help="With --wait: how long, such as 90s; else an hour."
    ),
]
