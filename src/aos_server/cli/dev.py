"""`aos-server dev`."""

import os
import secrets
import time
from pathlib import Path
from typing import Annotated, Any

from typer import Option

import aos
from aos_server.settings import Secret, read

_TENANT = "default"
_NAMES = ("127.0.0.1", "localhost", "::1")


def dev(
    port: Annotated[int | None, Option(metavar="PORT", help="Where to listen; AOS_PORT, else 8000.")] = None,
    data: Annotated[
        Path | None, Option(metavar="FOLDER", help="Keep the database there; else it is gone at the end.")
    ] = None,
) -> int:
    """Start everything on this machine, with nothing to install: server, database, sample people to ask as.

    It listens to this machine alone, for whoever sends no token is who they say they are.
    """
    from aos_server.app import served
    from aos_server.cli.serving import serve
    from aos_server.db.embedded import embedded
    from aos_server.stub.running import running

    started = time.monotonic()
    settings = read(os.environ if port is None else {**os.environ, "AOS_PORT": str(port)}, "dev")
    key = secrets.token_urlsafe(16)
    with embedded(data) as postgres, running(settings.port and settings.port + 1, key) as stub:
        auth = settings.auth._replace(
            issuer=stub.url, audience="aos", service_url=stub.url, service_key=Secret(key)
        )
        database = settings.database._replace(url=postgres.url("aos_app"))
        settings = settings._replace(auth=auth, database=database, hosts=settings.hosts or _NAMES)

        def announce(address: str) -> None:
            kept = f"kept in {data}" if data else "gone when this ends"
            print(
                f"aos-server {aos.__version__}, for development: {address}\n\n"
                f"database  PostgreSQL {postgres.version}, {kept}\n"
                f"auth      {stub.url}, with sample people; without a token everybody is who they say\n\n"
                f"{_people(stub)}\n\n"
                f"try       curl -s {address}/health\n"
                f"          curl -s {address}/api/v1/runtime/capabilities\n\n"
                f"ready in {time.monotonic() - started:.1f} s; Ctrl-C ends it",
                flush=True,
            )

        return serve(served(settings), settings, announce)


def _people(stub: Any) -> str:
    """A token of each sample person, for an hour, in a form that a shell can read."""
    from aos_server.identity.roles import level_of
    from aos_server.stub.users import USERS

    return "\n".join(
        f"# level {level_of(roles)}, tenant {_TENANT}\n{user.upper()}={stub.token(user, _TENANT)}"
        for user, roles in USERS.items()
    )
