"""A request as a server tells it, with text of a requester wherever such text can stand."""

from datetime import UTC, datetime
from typing import Any

from aos.api.forecast.simulate import simulate
from aos.domain.approvals.envelopes import Departure, envelope
from aos.domain.plans.plan import Plan, Step
from aos.errors import Exit
from aos.report.approvals.card import Request
from aos.wire.plans.read import dump_plan
from aos.wire.results.simulations import simulation

NOW = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)


def asked(text: str, *, level: int = 4, changed: bool = True) -> Request:
    """Two steps, one of which can't be undone; `text` is all that the requester wrote."""
    said = text.replace("${", "$${")  # it refers to nothing
    steps = (
        Step("get", "http_call", {"url": f"https://example.org/{said}", "body": {said: said}}),
        Step("mail", "email_send", {"to": said, "subject": said, "body": said}),
    )
    plan = Plan(steps, name=text, inputs={said: said}, deadline_ms=90_000)
    result = simulate(plan, samples=200, explain=False, alternatives=False)
    document: dict[str, Any] = {
        "request_id": "0b44a8bd-8e6a-4c4e-9b9b-0f6a3b6ad1c1",
        "status": "pending",
        "tenant_id": "acme",
        "agent_id": None,
        "skill_id": None,
        "requested_by": "ann",
        "requester": {"issuer": "https://login.example", "subject": "ann", "owner": None},
        "justification": text,
        "required_level": level,
        "min_approvals": 2,
        "approvals": 1,
        "digest": "sha256:" + "ab" * 32,
        "created_at": "2026-11-26T04:00:00+00:00",
        "expires_at": "2026-11-27T04:00:00+00:00",
        "escalates_at": None,
        "decided_at": None,
        "grant_expires_at": None,
        "uses": 1,
        "used": 0,
        "decisions": [
            {"approver_id": "bob", "decision": "approve", "level": 4, "break_glass": False, "reason": text}
        ],
        "plan": dump_plan(plan),
        "digests": {"policy": "sha256:" + "cd" * 32},
        "policy": {"approval_level_required": level, "rulings": []},
        "consumptions": [],
        "reviewed": {"outcome": "justified", "reviewed_by": "eve", "reason": text},
        "forecast": simulation(result, Exit.YES),
    }
    changes = [Departure("plan_changed", "/steps/0/params/url", text, text, None, text)] if changed else None
    return Request(document, envelope(result), changes, NOW)
