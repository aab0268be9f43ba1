"""What one looks at: the list, the card, the plan's steps, the document itself."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aos.domain.approvals.requests import OPEN
from aos.report.approvals.card import ago
from aos.report.figures import UNKNOWN, chance, count, duration, money
from aos_server.db.pool import Database, Row
from aos_server.http.answers import Answer
from aos_server.http.cursors import cursor, place
from aos_server.http.endpoint import Call
from aos_server.http.gate import Identifies
from aos_server.http.handlers.people import as_of_now
from aos_server.http.handlers.requests import id_of
from aos_server.identity.browsers.sessions import form_token
from aos_server.identity.caller import Caller
from aos_server.services.requests import inbox, reads
from aos_server.services.requests.inbox import Looked
from aos_server.web import card
from aos_server.web.forms import ListQuery, StepsQuery
from aos_server.web.render import html
from aos_server.web.site import Site

__all__ = ["Notice", "Pages"]

PAGE = 20
STEPS = 100

Notice = Mapping[str, Any]
"""What a page says first: why nothing was decided, and what has changed."""


class Pages:
    """The pages of one site."""

    def __init__(self, database: Database, identity: Identifies, site: Site) -> None:
        self.database = database
        self._identity = identity
        self._site = site

    async def listed(self, call: Call) -> Answer:
        """A page of requests."""
        asked: ListQuery = call.query
        caller = await as_of_now(self._identity, call)
        after = place(asked.cursor, UUID)
        if asked.view in ("waiting", "open"):
            level = caller.level if asked.view == "waiting" else None
            lines, following = await inbox.urgent(self.database, caller, level, after, PAGE)
        else:
            which = reads.Filter(mine=asked.view == "mine", settled=asked.view == "decided")
            lines, following = await reads.page(self.database, caller, which, after, PAGE)
        found = await inbox.headlines(self.database, caller.tenant, [one["request_id"] for one in lines])
        now = datetime.now(UTC)
        rows = [_row(one, found.get(one["request_id"]), now) for one in lines]
        following_at = None if following is None else cursor(*following)
        return html("list", **self.frame(call, caller), view=asked.view, rows=rows, following=following_at)

    async def one(self, call: Call) -> Answer:
        """The card of one request."""
        caller = await as_of_now(self._identity, call)
        looked = await inbox.look(self.database, caller, id_of(call))
        return self.card(call, caller, looked)

    def card(
        self, call: Call, caller: Caller, looked: Looked, notice: Notice | None = None, status: int = 200
    ) -> Answer:
        """The card, below what there is to say first."""
        asked = looked.document
        plan = asked.get("plan")
        total = len(plan["steps"]) if isinstance(plan, dict) else 0
        mine = [
            one
            for one in asked["decisions"]
            if (one["issuer"], one["approver_id"]) == (caller.principal.issuer, caller.principal.subject)
        ]
        return html(
            "card",
            status,
            **self.frame(call, caller),
            notice=notice,
            asked=asked,
            open=asked["status"] in OPEN,
            deadline=ago(asked["expires_at"], looked.now),
            mine=[(one, ago(one["at"], looked.now)) for one in mine],
            sections=list(card.told(looked)),
            steps=card.steps(looked, 0, card.MOST_STEPS),
            plan_name=card.cut(str(plan.get("name") or "")) if isinstance(plan, dict) else "",
            inputs=card.values(plan.get("inputs") or {}) if isinstance(plan, dict) else [],
            total=total,
            more=total - card.MOST_STEPS,
            may=card.choices(looked, caller),
            after_yes=card.after_yes(looked),
            after_higher=card.after_higher(looked),
        )

    async def steps(self, call: Call) -> Answer:
        """The steps of a plan, so many at a time."""
        asked: StepsQuery = call.query
        looked = await inbox.look(self.database, call.caller, id_of(call))
        plan = looked.document.get("plan")
        total = len(plan["steps"]) if isinstance(plan, dict) else 0
        return html(
            "steps",
            **self.frame(call, call.caller),
            asked=looked.document,
            steps=card.steps(looked, asked.after, STEPS),
            after=asked.after,
            total=total,
            most=STEPS,
        )

    async def document(self, call: Call) -> Answer:
        """The document `aos.request/1`, as the API gives it, to be kept as a file."""
        request = id_of(call)
        found = await reads.get(self.database, call.caller.tenant, request)
        kept = {"Content-Disposition": f'attachment; filename="request-{request}.json"'}
        return Answer(json.dumps(found, indent=1).encode(), headers=kept)

    def frame(self, call: Call, caller: Caller) -> dict[str, Any]:
        """What every page shows around it: who is logged in, and the token of forms."""
        cookie = self._site.cookie(call.headers, "session")
        return {"caller": caller, "token": form_token(cookie)}


def _row(asked: Mapping[str, Any], found: Row | None, now: datetime) -> dict[str, Any]:
    """A line of the list: what is asked for, by whom, until when, and what was forecast of it."""
    name = asked["skill_id"] or asked["plan_name"] or "a plan"
    ended = asked["decided_at"]
    return {
        **asked,
        "name": name,
        "who": (asked["requester"]["owner"] or asked["requester"])["subject"],
        "when": f"{asked['status']} {ago(ended, now)}"
        if ended
        else f"expires {ago(asked['expires_at'], now)}",
        "figures": list(_figures(found)),
        "grave": list(_grave(found)),
    }


def _figures(found: Row | None) -> Any:
    if found is None:
        yield "large: open it to see its forecast"
        return
    yield count(found["steps"] or 0, "step")
    if not found["foreseen"]:
        yield "nobody can foresee it"
        return
    p50, p95 = found["cost_p50"], found["cost_p95"]
    cost = UNKNOWN if p50 is None else money(p50) if p50 == p95 else f"p50 {money(p50)}, p95 {money(p95)}"
    yield f"cost {cost}"
    yield f"time p95 {duration(found['time_p95'])}"
    within = found["chance"]
    yield f"{UNKNOWN if within is None else chance(within)} succeed within the limits"


def _grave(found: Row | None) -> Any:
    if found is None:
        return
    if not found["foreseen"]:
        yield "nobody can say what it does"
    if found["stay"]:
        yield f"{count(found['stay'], 'step')} can't be undone"
    if found["destroy"]:
        yield f"{count(found['destroy'], 'step')} can destroy something"
