"""The part of the API that is about who asks."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.people import METADATA, People
from aos_server.http.models.people import ProtectedResource, Whoami

__all__ = ["people"]


def people(at: str, to: People) -> tuple[Endpoint, ...]:
    """Who the caller is, and where people log in."""
    return (
        Endpoint("GET", f"{at}/whoami", "Who the caller is, and may do now", to.whoami, Whoami, act="read"),
        Endpoint(
            "GET",
            METADATA,
            "Where people log in (RFC 9728)",
            to.protected_resource,
            ProtectedResource,
            codes=["not_found", "bad_value"],
        ),
    )
