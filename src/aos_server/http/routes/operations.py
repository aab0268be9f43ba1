"""The part of the API that is about the server itself."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.health import Operations
from aos_server.http.models.health import Health

__all__ = ["operations"]


def operations(to: Operations) -> tuple[Endpoint, ...]:
    """For whoever watches the server: probes and metrics, open to everybody."""
    return (
        Endpoint("GET", "/livez", "Whether the process answers", to.livez, Health),
        Endpoint(
            "GET",
            "/readyz",
            "Whether to send requests here",
            to.readyz,
            Health,
            codes=["not_ready"],
        ),
        Endpoint(
            "GET",
            "/health",
            "What the server depends on, and whether it is there",
            to.health,
            Health,
        ),
        Endpoint("GET", "/metrics", "Prometheus text", to.metrics, None, media_type="text/plain"),
    )
