"""`aos health`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told
from aos.errors import Exit

_EXITS = {"unhealthy": Exit.NO}


def health(server: Server = None, context: Context = None) -> Answer:
    """Ask a server whether it is well, and what it depends on is there.

    The exit status is 0 where it works, though something may be missing (degraded), 3 where it does not, 6 where there
    is no answer.
    """
    return told(
        lambda client: client.health(),
        "aos.health/1",
        "status.health",
        server,
        context,
        lambda said: _EXITS.get(said["status"], Exit.YES),
    )
