"""`aos-server dev`."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Context, Option

from aos.wire.results.documents import envelope
from aos_server import logs
from aos_server.settings import Keys, Secret, Settings, read

if TYPE_CHECKING:
    from aos_server.db.embedded import Embedded
    from aos_server.stub.provider import StubProvider
    from aos_server.web.login import SamplePeople

_TENANT = "default"
_NAMES = ("127.0.0.1", "localhost", "::1")


def dev(
    context: Context,
    port: Annotated[int | None, Option(metavar="PORT", help="Where to listen; AOS_PORT, else 8000.")] = None,
    data: Annotated[
        Path | None, Option(metavar="FOLDER", help="Keep the database there; else it is gone at the end.")
    ] = None,
) -> int:
    """Start everything on this machine, with nothing to install: server, worker, database, sample people to ask as.

    It listens to this machine alone, for whoever sends no token is who they say they are.
    """
    import secrets

    from aos_server.app import served
    from aos_server.cli.answers import Answer, show
    from aos_server.cli.serving.listening import check_free, serve
    from aos_server.db.embedded import embedded
    from aos_server.stub.running import running

    started = time.monotonic()
    logs.configure(plain=True)
    settings = read(os.environ if port is None else {**os.environ, "AOS_PORT": str(port)}, "dev")
    check_free(settings)
    key = secrets.token_urlsafe(16)
    with embedded(data) as postgres, running(settings.port and settings.port + 1, key) as stub:
        server, worker = _connected(settings, postgres, stub.url, Secret(key))

        def announce(address: str) -> None:
            document = _document(address, postgres, data, stub, server.auth.enabled)
            show(Answer(document, _text(document, time.monotonic() - started)), as_json=context.obj)

        return serve(served(server, worker, _sample(stub)), server, announce)


def _sample(stub: "StubProvider") -> "SamplePeople":
    """Those who may log in to the inbox."""
    from aos_server.identity.roles import level_of
    from aos_server.stub.users import USERS
    from aos_server.web.login import SamplePeople

    return SamplePeople({user: level_of(roles) for user, roles in USERS.items()}, stub.token)


def _connected(settings: Settings, postgres: "Embedded", stub: str, key: Secret) -> tuple[Settings, Settings]:
    """The settings of the server and of the worker beside it."""
    from aos_server.services.audit.checkpoints import signer

    key_path = postgres.folder / "aos-audit.key"
    settings = settings._replace(
        keys=_keys(settings.keys, postgres.folder), webhook_hosts=settings.webhook_hosts or _NAMES
    )
    kept = settings.audit._replace(
        key_path=key_path, checkpoints_path=postgres.folder / "aos-audit.checkpoints"
    )
    worker = settings._replace(
        database=settings.database._replace(url=postgres.url("aos_worker"), pool_size=3), audit=kept
    )
    server = settings._replace(
        auth=settings.auth._replace(issuer=stub, audience="aos", service_url=stub, service_key=key),
        database=settings.database._replace(url=postgres.url("aos_app")),
        hosts=settings.hosts or _NAMES,
        audit=settings.audit._replace(public_key=signer(key_path).verifier),
    )
    return server, worker


def _keys(keys: Keys, folder: Path) -> Keys:
    """Where the keys are that sign webhooks, with one in it: as the environment says, else beside the database."""
    from aos_server.keystores import open_backend
    from aos_server.keystores.changes import carry_out, load, rotate

    if not os.environ.get("WEBHOOK_KEYS_PATH"):
        keys = keys._replace(path=folder / "aos-webhook-keys")
    backend = open_backend(keys)
    if not load(backend)[0].versions:
        carry_out(backend, rotate(backend, datetime.now(UTC), timedelta(0)))
    return keys


def _document(
    address: str, postgres: "Embedded", data: Path | None, stub: "StubProvider", restricted: bool
) -> dict[str, Any]:
    from aos_server.identity.roles import level_of
    from aos_server.stub.users import USERS

    return {
        **envelope("aos.dev/1"),
        "url": address,
        "database": {
            "version": postgres.version,
            "url": postgres.url("aos_app"),
            "kept_in": str(data) if data else None,
        },
        "auth": {"url": stub.url, "rbac_enabled": restricted},
        "tenant_id": _TENANT,
        "people": [
            {"user": user, "level": level_of(roles), "token": stub.token(user, _TENANT)}
            for user, roles in USERS.items()
        ],
    }


def _text(document: Mapping[str, Any], seconds: float) -> str:
    """The same for people, with the tokens in a form that a shell can read."""
    address, database, auth = document["url"], document["database"], document["auth"]
    kept = f"kept in {database['kept_in']}" if database["kept_in"] else "gone when this ends"
    levels = (
        ""
        if auth["rbac_enabled"]
        else "\n          RBAC_ENABLED=false: everybody may do everything, at level 5"
    )
    people = "\n".join(
        f"# level {person['level']}, tenant {document['tenant_id']}\n{person['user'].upper()}={person['token']}"
        for person in document["people"]
    )
    return (
        f"aos-server {document['aos_version']}, for development: {address}\n\n"
        f"database  PostgreSQL {database['version']}, {kept}\n"
        f"auth      {auth['url']}, with sample people; without a token everybody is who they say{levels}\n\n"
        f"{people}\n\n"
        f"try       curl -s {address}/health\n"
        f"          curl -s {address}/api/v1/runtime/capabilities\n"
        f"inbox     {address}/inbox\n\n"
        f"ready in {seconds:.1f} s; Ctrl-C ends it"
    )
