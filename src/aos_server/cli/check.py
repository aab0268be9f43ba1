"""`aos-server check`."""

import asyncio
import os
from enum import StrEnum
from typing import Annotated

from typer import Option

import aos
from aos.errors import AosError, Exit
from aos_server.cli.answers import Answer
from aos_server.settings import Settings, read


class Process(StrEnum):
    """What starts with these settings."""

    SERVE = "serve"
    WORKER = "worker"


def check(
    process: Annotated[Process, Option(help="Whose settings and rights are looked at.")] = Process.SERVE,
) -> Answer:
    """Look whether the server could start here: its settings, the database, its schema and the role's rights."""
    settings = read(os.environ, process.value)
    found = asyncio.run(_look(settings))
    document = {
        "schema": "aos.check/1",
        "aos_version": aos.__version__,
        "process": process.value,
        "status": "healthy" if not any(found.values()) else "unhealthy",
        "checks": [{"name": name, "ok": not wrong, "detail": wrong or None} for name, wrong in found.items()],
    }
    lines = [
        f"{'no' if wrong else 'ok'}  {name}{f': {wrong}' if wrong else ''}" for name, wrong in found.items()
    ]
    return Answer(document, "\n".join(lines), Exit.NO if any(found.values()) else Exit.YES)


async def _look(settings: Settings) -> dict[str, str]:
    """What is wrong, by what was looked at; "" is nothing."""
    from aos_server.db.pool import Database

    found = {"settings": "", "database": ""}
    async with Database.open(settings.database.url, 1) as database:
        try:
            await database.ready()
            found["rights"] = ", ".join(await database.excess())
        except AosError as error:
            found["database"] = error.detail
    return found
