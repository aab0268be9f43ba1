"""`aos-server tenant`."""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from aos.errors import AosError
from aos.wire.results.documents import envelope
from aos_server.cli.answers import Answer
from aos_server.settings import Secret, read

if TYPE_CHECKING:
    from aos_server.services.terms import NewTerms

Skills = list[str]


def tenant(
    name: Annotated[str, Argument(help="The tenant; it exists from then on.")],
    agent: Annotated[str, Option(help="One of its agents, instead of the tenant as a whole.")] = "",
    budget: Annotated[str | None, Option(metavar="CENTS", help="What may be spent.")] = None,
    allow: Annotated[
        Skills | None, Option(metavar="SKILL", help="A skill that may be called; again for more.")
    ] = None,
    forbid: Annotated[
        Skills | None, Option(metavar="SKILL", help='One that may not; "*" is all others.')
    ] = None,
    catalog: Annotated[Path | None, Option(help="A JSON catalog, laid over the one that ships.")] = None,
) -> Answer:
    """Set what holds for a tenant. Needs the settings of `serve`; the audit log says who did it, on this machine."""
    import asyncio

    from aos_server.services.terms import NewTerms

    permissions = dict.fromkeys(allow or [], True) | dict.fromkeys(forbid or [], False)
    new = NewTerms(agent, _cents(budget), permissions, _content(catalog))
    asyncio.run(_set(read(os.environ, "serve").database.url, name, new))
    document = {
        **envelope("aos.terms/1"),
        "tenant_id": name,
        "agent_id": agent or None,
    }
    return Answer(document, f"set for {name}{f', agent {agent}' if agent else ''}")


async def _set(url: Secret, name: str, new: "NewTerms") -> None:
    from aos_server.cli.host import host_caller
    from aos_server.db.pool import Database
    from aos_server.services.terms import set_terms

    caller = host_caller(name)
    async with Database.open(url, 1) as database:
        await set_terms(database, caller, new)


def _cents(text: str | None) -> Decimal | None:
    try:
        cents = None if text is None else Decimal(text)
    except InvalidOperation:
        cents = Decimal("NaN")
    if cents is not None and not (cents.is_finite() and 0 <= cents < 10**12):
        raise AosError("bad_value", "--budget must be cents, 0 or more")
    return cents


def _content(path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise AosError("unreadable", f"{path}: {error.strerror}") from None
