"""`aos-server migrate`."""

import os

from aos.wire.results.documents import envelope
from aos_server.cli.answers import Answer
from aos_server.settings import read


def migrate() -> Answer:
    """Bring the database's tables up to date. Safe to call twice at once, and again after it was killed."""
    from aos_server.db.migrate import migrate

    before, after = migrate(read(os.environ, "migrate").database.migrate_url)
    document = {
        **envelope("aos.migration/1"),
        "before": before or None,
        "after": after,
    }
    done = "already up to date" if before == after else f"brought up from {before or 'nothing'}"
    return Answer(document, f"schema {after}: {done}")
