"""The archive, as it is asked for and told."""

from typing import Annotated

from pydantic import Field

from aos_server.http.models.base import Document, Id, Request

__all__ = ["Archive", "ArchiveOrder", "OrderArchive"]


class OrderArchive(Request):
    """Nothing but who asks."""

    tenant_id: Id | None = None


class Archived(Document):
    """Rows of one kind. `due` null: nothing ever is. `oldest_archived_at` null: nothing is in the archive."""

    live: int
    due: int | None
    archived: int
    oldest_archived_at: str | None


class Archive(Document):
    """What is live and what is archived, of all tenants: the document `aos.archive/1`."""

    after_days: Annotated[int | None, Field(description="null: nothing is archived")]
    keep_days: Annotated[int | None, Field(description="null: nothing is deleted from the archive")]
    requests: Archived
    runs: Archived


class ArchiveOrder(Document):
    """Whether a worker was told; `false` where one was told already: the document `aos.archive-order/1`."""

    ordered: bool
