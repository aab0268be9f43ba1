"""Settings that suffice for `aos-server serve`, for one as in production, and for `aos-server worker`."""

import os
from pathlib import Path

from tests.services.conftest import Base
from tests.services.oidc.provider import OPAQUE, OpenId
from tests.services.processes import Process

SERVE = {
    "REDIS_URL": "redis://127.0.0.1:1/0",  # not needed to start
    "AOS_OIDC_ISSUER": "https://login.example.com",
    "AOS_OIDC_AUDIENCE": "aos",
    "AOS_PORT": "0",
}


def in_production(base: Base, redis: Process, provider: OpenId) -> dict[str, str]:
    """Of a server with a database, Redis and an OpenID provider; the port is missing."""
    return {
        "DATABASE_URL": base.pooled("aos_app"),
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
        "AOS_OIDC_ISSUER": provider.url,
        "AOS_OIDC_AUDIENCE": OPAQUE,
        "AOS_OIDC_CLIENT_ID": "aos-server",
        "AOS_OIDC_CLIENT_SECRET": "s3cret",
    }


def of_worker(base: Base, folder: Path) -> dict[str, str]:
    """Of a worker whose keys are in `folder/keys`."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": base.pooled("aos_worker"),
        "AOS_AUDIT_KEY_PATH": str(folder / "audit.key"),
        "AOS_AUDIT_CHECKPOINTS_PATH": str(folder / "checkpoints"),
        "WEBHOOK_KEYS_PATH": str(folder / "keys"),
    }
