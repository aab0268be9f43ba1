"""What can be asked of the server about approvals. Part of `Calls`, which has everything."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from aos.sdk.core import Call, Plan, given, new_key, path

__all__ = ["Approvals"]

_REQUESTS = "/api/v1/policy/requests"

A = TypeVar("A")


class Approvals(ABC, Generic[A]):
    """Requests: make, look at, decide on and use them."""

    @abstractmethod
    def send(self, call: Call) -> A:
        """Send a call and give its answer; tried again where that can help and can't hurt."""

    def request_approval(
        self,
        policy_type: str,
        skill_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        plan: Plan | None = None,
        inputs: Mapping[str, Any] | None = None,
        justification: str | None = None,
        expires_in_seconds: int | None = None,
        escalate_after_seconds: int | None = None,
        uses: int | None = None,
        required_level: int | None = None,
        webhook_url: str | None = None,
        agent_id: str | None = None,
        requested_by: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Ask people for their yes to a call or a plan, which the server simulates and the policy judges."""
        body = given(
            {
                "policy_type": policy_type,
                "skill_id": skill_id,
                "payload": payload,
                "plan": plan,
                "inputs": inputs,
                "justification": justification,
                "expires_in_seconds": expires_in_seconds,
                "uses": uses,
                "escalate_after_seconds": escalate_after_seconds,
                "required_level": required_level,
                "webhook_url": webhook_url,
                "agent_id": agent_id,
                "requested_by": requested_by,
                "tenant_id": tenant_id,
            }
        )
        return self.send(Call("POST", _REQUESTS, body=body, key=idempotency_key or new_key()))

    def approval_request(self, request_id: str, *, tenant_id: str | None = None) -> A:
        """One request with everything that an approver looks at."""
        where = path(f"{_REQUESTS}/{{request_id}}", request_id=request_id)
        return self.send(Call("GET", where, {"tenant_id": tenant_id}))

    def approval_requests(
        self,
        *,
        status: str | None = None,
        mine: bool | None = None,
        waiting: bool | None = None,
        level: int | None = None,
        skill_id: str | None = None,
        plan_name: str | None = None,
        granted: bool | None = None,
        review: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """A page of requests, the latest first: of a status, level, skill or plan, one's own, or waiting."""
        asked = {"mine": mine, "waiting": waiting, "level": level, "granted": granted, "limit": limit}
        texts = {name: None if value is None else str(value).lower() for name, value in asked.items()}
        query = {
            **texts,
            "status": status,
            "skill_id": skill_id,
            "plan_name": plan_name,
            "review": review,
            "cursor": cursor,
            "tenant_id": tenant_id,
        }
        return self.send(Call("GET", _REQUESTS, query))

    def approve(
        self,
        request_id: str,
        reason: str | None = None,
        *,
        level: int | None = None,
        digest: str | None = None,
        break_glass: bool | None = None,
        approver_id: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Say yes to the request whose digest is `digest`; with `break_glass` alone, and a review follows."""
        return self._act(
            request_id,
            "approve",
            idempotency_key,
            reason=reason,
            level=level,
            digest=digest,
            break_glass=break_glass,
            approver_id=approver_id,
            tenant_id=tenant_id,
        )

    def reject(
        self,
        request_id: str,
        reason: str | None = None,
        *,
        level: int | None = None,
        digest: str | None = None,
        approver_id: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Say no."""
        return self._act(
            request_id,
            "reject",
            idempotency_key,
            reason=reason,
            level=level,
            digest=digest,
            approver_id=approver_id,
            tenant_id=tenant_id,
        )

    def escalate(
        self,
        request_id: str,
        reason: str | None = None,
        *,
        approver_id: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Ask one level higher."""
        return self._act(
            request_id,
            "escalate",
            idempotency_key,
            reason=reason,
            approver_id=approver_id,
            tenant_id=tenant_id,
        )

    def review(
        self,
        request_id: str,
        outcome: str,
        reason: str,
        *,
        approver_id: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Say what you found in looking at a broken glass: justified or not_justified."""
        return self._act(
            request_id,
            "review",
            idempotency_key,
            outcome=outcome,
            reason=reason,
            approver_id=approver_id,
            tenant_id=tenant_id,
        )

    def cancel_request(
        self,
        request_id: str,
        reason: str | None = None,
        *,
        requested_by: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """No longer ask."""
        return self._act(
            request_id,
            "cancel",
            idempotency_key,
            reason=reason,
            requested_by=requested_by,
            tenant_id=tenant_id,
        )

    def consume(
        self,
        request_id: str,
        *,
        digest: str | None = None,
        plan: Plan | None = None,
        inputs: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        requested_by: str | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Use the approval once, for this plan; without one for what was approved."""
        return self._act(
            request_id,
            "consume",
            idempotency_key,
            digest=digest,
            plan=plan,
            inputs=inputs,
            run_id=run_id,
            requested_by=requested_by,
            tenant_id=tenant_id,
        )

    def _act(self, request_id: str, act: str, key: str | None, **fields: Any) -> A:
        where = path(f"{_REQUESTS}/{{request_id}}/{act}", request_id=request_id)
        return self.send(Call("POST", where, body=given(fields), key=key or new_key()))
