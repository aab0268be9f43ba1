"""Approval requests: make, show and list them, decide on them, use what was approved."""

from datetime import timedelta
from uuid import UUID

from aos.errors import AosError
from aos.wire.encode import one_line
from aos.wire.results.documents import Document
from aos_server.db.pool import Database
from aos_server.http.answers import Answer
from aos_server.http.cursors import paged, place
from aos_server.http.endpoint import Call
from aos_server.http.gate import Identifies
from aos_server.http.handlers.people import as_of_now
from aos_server.http.models.requests import (
    Approve,
    CancelRequest,
    Consume,
    CreateRequest,
    Decide,
    Reject,
    RequestsQuery,
    ReviewRequest,
)
from aos_server.services.changes import Given
from aos_server.services.idempotency import Key
from aos_server.services.policy.decisions import call_of
from aos_server.services.requests import consume, decide, reads
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.requests.decide import Said
from aos_server.services.requests.stored import linked

__all__ = ["ApprovalRequests", "id_of"]

_PATH = "/api/v1/policy/requests"


class ApprovalRequests:
    """The handlers of `/api/v1/policy/requests`. `public_url` is where browsers reach the server; "": nobody said."""

    def __init__(self, desk: Desk | None, identity: Identifies, public_url: str = "") -> None:
        self._kept = desk
        self._identity = identity
        self._public_url = public_url

    @property
    def _desk(self) -> Desk:
        if self._kept is None:
            raise AosError("unavailable", "no requests are kept here")
        return self._kept

    @property
    def _database(self) -> Database:
        return self._desk.database

    async def create_request(self, call: Call) -> Answer:
        """Ask for an approval."""
        body: CreateRequest = call.body
        plan = call_of(body.skill_id, body.payload) if body.skill_id else body.plan
        after = body.escalate_after_seconds
        asked = Asked(
            body.policy_type,
            plan,
            body.inputs,
            body.skill_id,
            body.agent_id,
            body.justification,
            timedelta(seconds=body.expires_in_seconds),
            None if after is None else timedelta(seconds=after),
            body.uses,
            body.required_level,
            body.webhook_url,
        )
        given = await create(self._desk, call.caller, asked, _key(call, ""))
        where = {"Location": f"{_PATH}/{given.body['request_id']}"}
        return Answer(one_line(linked(given.body, self._public_url)).encode(), given.status, where)

    async def get_request(self, call: Call) -> Document:
        """One request with everything that an approver looks at."""
        return linked(await reads.get(self._database, call.caller.tenant, id_of(call)), self._public_url)

    async def list_requests(self, call: Call) -> Document:
        """A page of requests, the latest first."""
        asked: RequestsQuery = call.query
        which = reads.Filter(
            asked.status,
            asked.mine,
            skill=asked.skill_id,
            plan=asked.plan_name,
            level=None if asked.waiting else asked.level,
            granted=asked.granted,
            unreviewed=bool(asked.review),
        )
        if asked.waiting:
            held = (await as_of_now(self._identity, call)).level
            which = which._replace(waiting=min(held, asked.level or held))
        lines, following = await reads.page(
            self._database, call.caller, which, place(asked.cursor, UUID), asked.limit
        )
        return paged("aos.request-list/1", "requests", lines, following)

    async def approve_request(self, call: Call) -> Given:
        """Say yes."""
        asked: Approve = call.body
        said = Said(asked.reason, asked.level, asked.digest, asked.break_glass)
        return await decide.approve(self._database, call.caller, id_of(call), said, _key(call, "/approve"))

    async def reject_request(self, call: Call) -> Given:
        """Say no."""
        asked: Reject = call.body
        said = Said(asked.reason, asked.level, asked.digest)
        return await decide.reject(self._database, call.caller, id_of(call), said, _key(call, "/reject"))

    async def escalate_request(self, call: Call) -> Given:
        """Ask one level higher."""
        asked: Decide = call.body
        key = _key(call, "/escalate")
        return await decide.escalate(self._database, call.caller, id_of(call), asked.reason, key)

    async def cancel_request(self, call: Call) -> Given:
        """No longer ask."""
        asked: CancelRequest = call.body
        key = _key(call, "/cancel")
        return await decide.cancel(self._database, call.caller, id_of(call), asked.reason, key)

    async def review_request(self, call: Call) -> Given:
        """Close the review of a broken glass."""
        asked: ReviewRequest = call.body
        key = _key(call, "/review")
        return await decide.review(self._database, call.caller, id_of(call), asked.outcome, asked.reason, key)

    async def consume_request(self, call: Call) -> Given:
        """Use the approval."""
        asked: Consume = call.body
        use = consume.Use(asked.digest, asked.plan, asked.inputs, asked.run_id)
        return await consume.consume(self._desk, call.caller, id_of(call), use, _key(call, "/consume"))


def id_of(call: Call) -> str:
    """The request that an address names. Raises AosError(not_found) for what can't be one."""
    try:
        return str(UUID(call.path["request_id"]))
    except ValueError:
        raise decide.unknown() from None


def _key(call: Call, act: str) -> Key | None:
    return call.key("POST", f"{_PATH}/{id_of(call)}{act}" if act else _PATH)
