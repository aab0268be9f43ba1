"""`aos requests waits`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from aos.api.learning.learned import catalog_text
from aos.api.server.session import session
from aos.api.server.waits import learned, requests_decided
from aos.cli.answer import Answer, Look
from aos.cli.catalog.drafts import Force, ending
from aos.cli.server import Context, Server
from aos.files.outputs import write_file
from aos.wire.problems import visible
from aos.wire.results.documents import envelope

Out = Annotated[Path | None, Option("--out", metavar="FILE", help="Write the catalog there: .toml or .json.")]


def waits(out: Out = None, force: Force = False, server: Server = None, context: Context = None) -> Answer:
    """Learn from the requests of your tenant how long people take to decide, as a catalog that says this alone.

    `aos simulate --catalog FILE` then forecasts the time of a plan with its waits for approvals.
    """
    form = ending(out, ".toml", ".json")
    asked = session(server, context)
    with asked.client as client:
        found = learned(list(requests_decided(client)))
    if out:
        write_file(out, catalog_text(found.catalog, form), replace=force)
    written = [str(out)] if out else []

    def text(look: Look) -> str:
        from aos.report.approvals import lists

        return lists.waits(found.by_level, *look) + "".join(f"wrote {visible(one, 200)}\n" for one in written)

    return Answer(
        lambda: {
            **envelope("aos.approval-waits/1"),
            "levels": [{"level": level, "waits_ms": list(found)} for level, found in found.by_level.items()],
            "catalog": found.catalog,
            "written": written,
            "server": asked.url,
        },
        text,
    )
