"""The part of the API that is about the archive."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.archive import ArchiveCalls
from aos_server.http.models.archive import Archive, ArchiveOrder, OrderArchive
from aos_server.http.models.base import InTenant

__all__ = ["archive"]


def archive(at: str, to: ArchiveCalls) -> tuple[Endpoint, ...]:
    """The archive. It has rows of every tenant, so it takes the server's operators; each tenant reads its own rows
    where it always did."""
    return (
        Endpoint(
            "GET",
            at,
            "How many requests and runs are live, due to be archived, and archived",
            to.show_archive,
            Archive,
            act="operate",
            query=InTenant,
            of_server=True,
        ),
        Endpoint(
            "POST",
            at,
            "Have a worker archive now what is due",
            to.order_archive,
            ArchiveOrder,
            act="operate",
            body=OrderArchive,
            codes=["bad_value"],
            status=202,
            of_server=True,
        ),
    )
