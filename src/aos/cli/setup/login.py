"""`aos login`."""

import sys
from typing import Annotated

from typer import BadParameter, Option

from aos.api.server.session import DEFAULT_CONTEXT, log_in
from aos.cli.answer import Answer, Look, write
from aos.cli.server import Server
from aos.files.contexts import DEFAULT_CLIENT, Context, read_contexts
from aos.files.sources import stdin
from aos.sdk.client import server_of
from aos.sdk.device import Grant
from aos.wire.problems import visible
from aos.wire.results.documents import envelope

_MAX_TOKEN_BYTES = 8192


def login(
    server: Server = None,
    context: Annotated[
        str, Option("--context", metavar="NAME", help="A name for this login.")
    ] = DEFAULT_CONTEXT,
    issuer: Annotated[
        str | None,
        Option(metavar="URL", help="The OpenID provider where people log in (else the server says)."),
    ] = None,
    client_id: Annotated[
        str | None, Option(metavar="ID", help=f"What it calls this program (else {DEFAULT_CLIENT}).")
    ] = None,
    audience: Annotated[
        str | None, Option(metavar="URI", help="Whom it calls the server: what tokens are for.")
    ] = None,
    token_stdin: Annotated[
        bool, Option("--token-stdin", help="Take a token from standard input instead.")
    ] = False,
) -> Answer:
    """Log in: on a page that you open in any browser, or with a token that you have.

    What is given is remembered under the context's name, and the token in the system's keyring; where there is none, in
    a file that only you can read. Later commands use the last login.
    """
    old = read_contexts().by_name.get(context)
    meant = Context(
        context,
        server or (old.server if old else server_of().url),
        issuer or (old.issuer if old else None),
        client_id or (old.client_id if old else DEFAULT_CLIENT),
        audience or (old.audience if old else None),
    )
    done = log_in(meant, token=_read_token() if token_stdin else None, show=_show)
    who = done.whoami

    def text(look: Look) -> str:
        place = "the system's keyring" if done.place == "keyring" else "a file that only you can read"
        lines = (
            f"logged in to {meant.server} as {who['subject']}, tenant {who['tenant_id']}",
            f"the token is in {place}; `aos logout` forgets it",
        )
        return "\n".join(visible(line, 500) for line in lines)

    return Answer(
        lambda: {
            **envelope("aos.login/1"),
            "context": meant.name,
            "server": meant.server,
            "subject": who["subject"],
            "tenant_id": who["tenant_id"],
            "kept_in": done.place,
            "expires_at_s": done.expires_at_s,
        },
        text,
    )


def _read_token() -> str:
    token = stdin().read(_MAX_TOKEN_BYTES + 1).decode("ascii", "replace").strip()
    if (
        not token
        or len(token) > _MAX_TOKEN_BYTES
        or not token.isascii()
        or not token.isprintable()
        or " " in token
    ):
        raise BadParameter("there is no token on standard input", param_hint="--token-stdin")
    return token


def _show(grant: Grant) -> None:
    """To stderr: stdout is the answer's."""
    where = visible(grant.complete_uri or grant.uri, 500)
    write(sys.stderr, f"Open {where}\nand check that it shows the code {visible(grant.user_code)}")
