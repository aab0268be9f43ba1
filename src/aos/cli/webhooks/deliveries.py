"""`aos webhooks deliveries` and `aos webhooks redeliver`."""

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from aos.cli.answer import Answer
from aos.cli.server import Context, Cursor, Limit, Server, told


class State(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


Which = Annotated[str, Argument(metavar="ID", help="A webhook (wh_…); or a delivery, for all of its tries.")]
InState = Annotated[State | None, Option("--state", help="Only those of a webhook that are in this state.")]


def deliveries(
    which: Which,
    state: InState = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """What was sent to a webhook in the last 30 days, the newest first; or one delivery with each of its tries."""
    if not which.startswith("wh_"):
        return told(
            lambda client: client.delivery(which), "aos.delivery/1", "webhooks.delivery", server, context
        )
    return told(
        lambda client: client.deliveries(which, state=state, limit=limit, cursor=cursor),
        "aos.delivery-list/1",
        "webhooks.deliveries",
        server,
        context,
    )


def redeliver(
    delivery: Annotated[
        str, Argument(metavar="DELIVERY", help="Its id, as `aos webhooks deliveries` shows it.")
    ],
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Send a message once more, with the same id and the same number."""
    return told(
        lambda client: client.redeliver(delivery), "aos.redelivery/1", "webhooks.redelivery", server, context
    )
