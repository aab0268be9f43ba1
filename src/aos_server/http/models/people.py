"""Answers about callers."""

from typing import Literal

from aos_server.http.models.base import Document

__all__ = ["ProtectedResource", "Whoami"]


class Whoami(Document):
    """The document `aos.whoami/1`. `live`: the level was asked for just now; else it is what a token says."""

    issuer: str
    subject: str
    tenant_id: str
    kind: Literal["human", "machine"]
    roles: list[str]
    level: int
    live: bool
    scopes: list[str]


class ProtectedResource(Document):
    """The document `aos.protected-resource/1`, metadata by RFC 9728. `aos_audience` is whom tokens must be for."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[Literal["header"]]
    aos_audience: str
