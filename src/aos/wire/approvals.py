"""What an approval binds: one digest that whoever approves and whoever runs can each compute for themselves."""

from collections.abc import Mapping
from typing import Any

from aos.wire.digests import digest

__all__ = ["LARGE", "request_digest"]

_SMALL = (
    *("request_id", "tenant_id", "policy_type", "skill_id", "agent_id", "requester"),
    *("justification", "expires_at", "uses", "digests"),
)
LARGE = ("plan", "inputs", "policy", "forecast", "envelope")
"""What of a request stands in its digest as a digest of its own."""


def request_digest(request: Mapping[str, Any], known: Mapping[str, str] = {}) -> str:
    """The digest of the document `aos.request/1`, as far as it is what is approved; what is decided later is not in it.

    `known` are digests of the large parts, where they were computed before.
    """
    parts = {name: known.get(name) or digest(request[name]) for name in LARGE}
    return digest({**{name: request[name] for name in _SMALL}, **parts})
