"""What is allowed: policy decisions."""

from datetime import UTC, datetime

from aos.wire.results.documents import Document
from aos_server.http.endpoint import Call
from aos_server.http.models.policy import Evaluate
from aos_server.services.policy import decisions
from aos_server.services.policy.evaluations import Evaluations
from aos_server.services.tenants import Tenants
from aos_server.services.workers import Workers

__all__ = ["Policy"]


class Policy:
    """The handlers of `/api/v1/policy/`. `evaluations` None: they leave no row in an audit log."""

    def __init__(self, workers: Workers, tenants: Tenants, evaluations: Evaluations | None = None) -> None:
        self._decisions = decisions.Decisions(workers)
        self._tenants = tenants
        self._evaluations = evaluations

    async def evaluate(self, call: Call) -> Document:
        """Decide on a call or a plan, and change nothing."""
        asked: Evaluate = call.body
        tenant = call.caller.tenant
        terms = await self._tenants.terms(tenant, asked.agent_id, now=True)
        if asked.skill_id:
            decided = await self._decisions.call(asked.skill_id, asked.payload, asked.inputs, terms)
        else:
            decided = await self._decisions.plan(asked.plan, asked.inputs, terms)
        if self._evaluations is not None:
            await self._evaluations.keep(call.caller, decided, asked.skill_id, asked.agent_id)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return decisions.document(decided, asked.skill_id, tenant, now)
