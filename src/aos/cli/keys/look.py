"""`aos keys list`, `show` and `verify`."""

from contextlib import closing

from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.cli.keys.options import Version, answered, shown
from aos.cli.server import Context, Server
from aos.errors import Exit
from aos.wire.results.documents import envelope


def list_keys(server: Server = None, context: Context = None) -> Answer:
    """Which keys there are, how old, which of them sign. Never a key itself."""
    return answered(lambda client: client.keys(), "aos.keys/1", "keys", server, context)


def show(version: Version, server: Server = None, context: Context = None) -> Answer:
    """One key: its age, its end, and a fingerprint by which two places compare."""
    return answered(lambda client: client.key(version), "aos.key/1", "key", server, context)


def verify(server: Server = None, context: Context = None) -> Answer:
    """Look whether every key that signs is there and whole, and no other, and whether a change was cut off."""
    asked = session(server, context)
    with closing(asked.client) as client:
        document = {**client.verify_keys(), **envelope("aos.keys-check/1"), "server": asked.url}
    return shown(document, "check", Exit.YES if document["status"] == "healthy" else Exit.NO)
