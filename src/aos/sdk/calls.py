"""What can be asked of the server, once for both clients: each method makes a `Call` and hands it on.

Answers are the documents of the API, as docs/openapi.json describes them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from aos.sdk.approvals import Approvals
from aos.sdk.archive_calls import ArchiveCalls
from aos.sdk.backup_calls import BackupCalls
from aos.sdk.core import Call, Plan, given, new_key, path
from aos.sdk.key_calls import KeyCalls
from aos.sdk.webhook_calls import WebhookCalls

__all__ = ["Calls"]

_VERSIONS = "/api/v1/policy/versions"

A = TypeVar("A")
Cents = int | float | Decimal


class Calls(Approvals[A], WebhookCalls[A], KeyCalls[A], ArchiveCalls[A], BackupCalls[A]):
    """`A` is a document, or what gives one when it is awaited. Every method raises AosError."""

    def health(self) -> A:
        """What the server depends on, and whether it is there."""
        return self.send(Call("GET", "/health"))

    def livez(self) -> A:
        """Whether the process answers."""
        return self.send(Call("GET", "/livez"))

    def readyz(self) -> A:
        """Whether to send requests there."""
        return self.send(Call("GET", "/readyz"))

    def whoami(self) -> A:
        """Who the server takes the caller for, and what they may do now."""
        return self.send(Call("GET", "/api/v1/whoami"))

    def protected_resource(self) -> A:
        """Where people log in, for which audience (RFC 9728)."""
        return self.send(Call("GET", "/.well-known/oauth-protected-resource"))

    def simulate(
        self,
        plan: Plan,
        *,
        budget_cents: Cents | None = None,
        deadline_ms: float | None = None,
        inputs: Mapping[str, Any] | None = None,
        confidence: float | None = None,
        min_success: float | None = None,
        samples: int | None = None,
        seed: int | None = None,
        alternatives: bool | None = None,
        agent_id: str | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """Forecast a plan and decide whether it is feasible. A plan that is wrong in itself is an answer, too."""
        return self._post(
            "/api/v1/runtime/simulate",
            plan=plan,
            budget_cents=budget_cents,
            deadline_ms=deadline_ms,
            inputs=inputs,
            confidence=confidence,
            min_success=min_success,
            samples=samples,
            seed=seed,
            alternatives=alternatives,
            agent_id=agent_id,
            tenant_id=tenant_id,
        )

    def query(
        self,
        query_type: str,
        params: Mapping[str, Any] | None = None,
        *,
        agent_id: str | None = None,
        run_id: str | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """Ask one question about skills, budget or past runs."""
        return self._post(
            "/api/v1/runtime/query",
            query_type=query_type,
            params=params,
            agent_id=agent_id,
            run_id=run_id,
            tenant_id=tenant_id,
        )

    def capabilities(self, *, agent_id: str | None = None, tenant_id: str | None = None) -> A:
        """Skills, budget, rate limits and permissions."""
        query = {"agent_id": agent_id, "tenant_id": tenant_id}
        return self.send(Call("GET", "/api/v1/runtime/capabilities", query))

    def skills(self, *, tenant_id: str | None = None) -> A:
        """Every skill."""
        return self.send(Call("GET", "/api/v1/runtime/skills", {"tenant_id": tenant_id}))

    def skill(self, skill_id: str, *, tenant_id: str | None = None) -> A:
        """One skill in full."""
        where = path("/api/v1/runtime/skills/{skill_id}", skill_id=skill_id)
        return self.send(Call("GET", where, {"tenant_id": tenant_id}))

    def resource_contract(self, resource_id: str, *, tenant_id: str | None = None) -> A:
        """What a skill or a pool of slots may be asked for."""
        where = path("/api/v1/runtime/resource-contract/{resource_id}", resource_id=resource_id)
        return self.send(Call("GET", where, {"tenant_id": tenant_id}))

    def upload_run(self, record: Mapping[str, Any], *, idempotency_key: str | None = None) -> A:
        """Keep the record of a run there; the same one again changes nothing."""
        key = idempotency_key or new_key()
        return self.send(Call("POST", "/api/v1/runs", body=record, key=key, idempotent=True))

    def run(self, run_id: str, *, tenant_id: str | None = None) -> A:
        """One run record, as it was uploaded."""
        return self.send(Call("GET", path("/api/v1/runs/{run_id}", run_id=run_id), {"tenant_id": tenant_id}))

    def runs(
        self,
        *,
        agent_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """A page of run records, the latest first; its `next` is the `cursor` of the page after it."""
        most = None if limit is None else str(limit)
        query = {"agent_id": agent_id, "limit": most, "cursor": cursor, "tenant_id": tenant_id}
        return self.send(Call("GET", "/api/v1/runs", query))

    def audit(
        self,
        *,
        object: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """A page of the audit log, the latest first; its `next` is the `cursor` of the page after it."""
        most = None if limit is None else str(limit)
        query = {"object": object, "limit": most, "cursor": cursor, "tenant_id": tenant_id}
        return self.send(Call("GET", "/api/v1/audit", query))

    def audit_entry(self, entry_id: str, *, tenant_id: str | None = None) -> A:
        """One entry of the audit log, and the proof that it is there."""
        where = path("/api/v1/audit/{entry_id}", entry_id=entry_id)
        return self.send(Call("GET", where, {"tenant_id": tenant_id}))

    def verify_audit(self, checkpoints: str | None = None, *, tenant_id: str | None = None) -> A:
        """Whether the tenant's part of the audit log is what was signed, and what `checkpoints` kept elsewhere say."""
        return self._post("/api/v1/audit/verify", checkpoints=checkpoints, tenant_id=tenant_id)

    def policy_eval(
        self,
        skill_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        plan: Plan | None = None,
        inputs: Mapping[str, Any] | None = None,
        tenant_id: str | None = None,
        agent_id: str | None = None,
    ) -> A:
        """Whether a skill may be called with that payload, or a plan be run: allow, deny or requires_approval."""
        return self._post(
            "/api/v1/policy/eval",
            skill_id=skill_id,
            payload=payload,
            plan=plan,
            inputs=inputs,
            tenant_id=tenant_id,
            agent_id=agent_id,
        )

    def replay_policy(
        self,
        *,
        files: Mapping[str, str] | None = None,
        version: int | None = None,
        against: int | None = None,
        window_s: float | None = None,
        limit: int | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """What other rules, given as `files` or as a `version`, would have said of what is on record there."""
        return self._post(
            "/api/v1/policy/replay",
            files=files,
            version=version,
            against=against,
            window_s=window_s,
            limit=limit,
            tenant_id=tenant_id,
        )

    def push_policy(
        self,
        files: Mapping[str, str],
        message: str = "",
        *,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Keep rules, by the names of their files, as the next version; the same text again changes nothing."""
        body = given({"files": files, "message": message, "tenant_id": tenant_id})
        return self.send(Call("POST", _VERSIONS, body=body, key=idempotency_key or new_key()))

    def policies(
        self, *, limit: int | None = None, cursor: str | None = None, tenant_id: str | None = None
    ) -> A:
        """A page of versions of the rules, the newest first; its `next` is the `cursor` of the page after it."""
        most = None if limit is None else str(limit)
        return self.send(Call("GET", _VERSIONS, {"limit": most, "cursor": cursor, "tenant_id": tenant_id}))

    def policy(self, version: int, *, tenant_id: str | None = None) -> A:
        """One version of the rules with its text; 0 are those that ship."""
        where = path(f"{_VERSIONS}/{{version}}", version=str(version))
        return self.send(Call("GET", where, {"tenant_id": tenant_id}))

    def active_policy(self, *, tenant_id: str | None = None) -> A:
        """Which version of the rules holds."""
        return self.send(Call("GET", "/api/v1/policy/active", {"tenant_id": tenant_id}))

    def activate_policy(
        self,
        version: int,
        if_active: str,
        why: str = "",
        *,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Let a version hold from now on, provided that the rules with the digest `if_active` do so far."""
        where = path(f"{_VERSIONS}/{{version}}/activate", version=str(version))
        body = given({"if_active": if_active, "why": why, "tenant_id": tenant_id})
        return self.send(Call("POST", where, body=body, key=idempotency_key or new_key()))

    def _post(self, to: str, **fields: Any) -> A:
        """Send what was given; what is None is the server's to decide."""
        return self.send(Call("POST", to, body=given(fields)))
