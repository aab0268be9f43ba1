"""`aos archive show` and `run`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told

__all__ = ["run", "show"]


def show(server: Server = None, context: Context = None) -> Answer:
    """How many requests and runs there are, how many of them are due to be archived, how many are in the archive.

    What is in the archive is still found by all that reads requests and runs.
    """
    return told(lambda client: client.archive(), "aos.archive/1", "archive.archive", server, context)


def run(server: Server = None, context: Context = None) -> Answer:
    """Have a worker archive now what is due, and not at its time of the hour. It is not waited for."""
    return told(
        lambda client: client.order_archive(), "aos.archive-order/1", "archive.order", server, context
    )
