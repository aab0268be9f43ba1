"""Rules of a tenant: one that lets everything pass, one that can't be computed."""

from aos.policy.rules import Source
from aos_server.services.policy.active import Rules


def rules(*texts: str, digest: str = "sha256:d") -> Rules:
    """The rules of a tenant."""
    return Rules(digest, tuple(Source(f"{i}.cedar", text.encode()) for i, text in enumerate(texts)))


TOO_LARGE = "context.steps + 9223372036854775807 > 0"


ANY_RULE = "permit (principal, action, resource);"
