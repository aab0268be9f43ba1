"""`aos keys list`, `show` and `verify`."""

from aos.cli.answer import Answer
from aos.cli.keys.options import Version
from aos.cli.server import Context, Server, told
from aos.errors import Exit

_EXITS = {"healthy": Exit.YES}


def list_keys(server: Server = None, context: Context = None) -> Answer:
    """Which keys there are, how old, which of them sign. Never a key itself."""
    return told(lambda client: client.keys(), "aos.keys/1", "keys.keys", server, context)


def show(version: Version, server: Server = None, context: Context = None) -> Answer:
    """One key: its age, its end, and a fingerprint by which two places compare."""
    return told(lambda client: client.key(version), "aos.key/1", "keys.key", server, context)


def verify(server: Server = None, context: Context = None) -> Answer:
    """Look whether every key that signs is there and whole, and no other, and whether a change was cut off."""
    return told(
        lambda client: client.verify_keys(),
        "aos.keys-check/1",
        "keys.check",
        server,
        context,
        lambda said: _EXITS.get(said["status"], Exit.NO),
    )
