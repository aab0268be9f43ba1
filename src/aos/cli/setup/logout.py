"""`aos logout`."""

from aos.api.server.session import log_out
from aos.cli.answer import Answer
from aos.cli.server import Context
from aos.wire.results.documents import envelope


def logout(context: Context = None) -> Answer:
    """Forget a login, and tell the OpenID provider that it is over."""
    name = log_out(context)
    text = "nobody was logged in" if name is None else f'logged out of the context "{name}"'
    return Answer(lambda: {**envelope("aos.logout/1"), "context": name}, lambda _: text)
