"""Answers about the server itself."""

from typing import Literal

from aos_server.http.models.base import Document

__all__ = ["Health"]


class Health(Document):
    """The document `aos.health/1`. `checks` name what the server depends on, and whether it is there."""

    status: Literal["healthy", "degraded", "unhealthy"]
    checks: dict[str, str]
