"""webhook_send{url, payload?, sign_with?} -> {status, webhook_id}: a message with a stable id, signed if asked."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aos.domain.runs.outcomes import SideEffect
from aos.domain.skills.skill import Skill
from aos.runtime.guards import GuardError
from aos.runtime.guards.http import Request, exchange, origin
from aos.runtime.guards.network import Network
from aos.runtime.guards.patience import Patience
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.answers import check_status
from aos.runtime.skills.registry import limit
from aos.runtime.skills.world import World
from aos.webhooks import sign
from aos.webhooks.signatures import check_secret

__all__ = ["implementation", "key"]

_MAX_REPLY_BYTES = 64 * 1024
"""What a receiver says is shown where it refuses, and read no further."""


class _WebhookSend(NamedTuple):
    network: Network
    secrets: Secrets
    max_payload_bytes: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        body = _body(params.get("payload", {}))
        if len(body) > self.max_payload_bytes:
            raise GuardError(
                "INPUT_TOO_LARGE", f"{len(body):,} bytes; the limit is {self.max_payload_bytes:,} bytes"
            )
        message_id = "msg_" + hashlib.sha256(call.key.encode()).hexdigest()[:32]
        headers = {
            "Content-Type": "application/json",
            **self._signed(params.get("sign_with"), message_id, body),
        }
        answer = exchange(
            self.network,
            Request("POST", params["url"], headers, body),
            Patience(call.timeout_s, call.cancelled),
            max_bytes=_MAX_REPLY_BYTES,
        )
        check_status(answer)
        sent = SideEffect("webhook.message", origin(params["url"]), reversible=False)
        return Reply({"status": answer.status, "webhook_id": message_id}, side_effects=(sent,))

    def _signed(self, name: str | None, message_id: str, body: bytes) -> dict[str, str]:
        secret = self.secrets.get(name) if name else None
        if name and secret is None:
            raise GuardError("SECRET_MISSING", f"there is no secret {name!r} to sign with")
        try:
            headers = sign([secret] if secret else [], message_id, datetime.now(UTC), body)
        except ValueError as error:
            raise GuardError("SECRET_MISSING", f"{name!r} is no signing key: {error}") from None
        return headers if secret else {key: headers[key] for key in ("webhook-id", "webhook-timestamp")}


def _body(payload: Any) -> bytes:
    """The message as JSON; a scalar becomes {"text": "<value>"}, the form that chat services take."""
    if not isinstance(payload, dict | list):
        payload = {"text": payload if isinstance(payload, str) else json.dumps(payload)}
    try:
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise GuardError("BAD_PARAMS", f"the payload can't be written as JSON: {error}") from None


def implementation(skill: Skill, world: World) -> _WebhookSend:
    """Limits: constraints.max_payload_bytes."""
    return _WebhookSend(world.network, world.secrets, limit(skill, "max_payload_bytes", 20_000))


def key(params: Mapping[str, Any], world: World) -> str | None:
    """The secret that signs; a name that is only told during the run is looked up then."""
    name = params.get("sign_with")
    return name if isinstance(name, str) and "${" not in name else None


def flaw(secret: str) -> str | None:
    """Why it can't sign."""
    try:
        check_secret(secret)
    except ValueError as error:
        return f"no signing key: {error}"
    return None
