"""What `aos mcp` takes of its own."""

from decimal import Decimal
from typing import Annotated

from typer import Option

from aos.cli.values import cents
from aos.mcp.clients import CLIENTS

AllowRun = Annotated[
    bool, Option("--allow-run", help="Offer run_plan: plans may be run, within --budget and the rules.")
]
Together = Annotated[
    Decimal | None,
    Option(
        "--budget",
        parser=cents,
        metavar="CENTS",
        help="The most that all runs of the session may cost together.",
    ),
]
Requests = Annotated[
    str | None,
    Option("--server", metavar="URL", help="Offer request_approval: people are asked at that server."),
]
PrintConfig = Annotated[
    str | None,
    Option("--print-config", metavar="CLIENT", help=f"Print how a client starts it: {', '.join(CLIENTS)}."),
]
