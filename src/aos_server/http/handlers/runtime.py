"""Plans and skills: simulate, query, and what can be done here."""

from collections.abc import Mapping
from typing import Any

from aos.domain.forecasts.verdicts import Limits
from aos.errors import AosError
from aos_server.http.endpoint import Call
from aos_server.http.models.base import decimal
from aos_server.http.models.runtime import CapabilitiesQuery, Query, Simulate
from aos_server.identity.caller import ACTS, Act, Caller, require
from aos_server.metrics import SIMULATIONS
from aos_server.services.policy.decisions import count_errors
from aos_server.services.runtime import capabilities, queries, simulations
from aos_server.services.runtime.runs import Runs
from aos_server.services.runtime.simulations import Question
from aos_server.services.tenants import Tenants
from aos_server.services.workers import Workers

__all__ = ["Runtime"]

_RUNS = 20
"""Past runs that a question is about where it names none."""


class Runtime:
    """The handlers of `/api/v1/runtime/`."""

    def __init__(self, workers: Workers, tenants: Tenants, runs: Runs | None) -> None:
        self._workers = workers
        self._tenants = tenants
        self._runs = runs

    async def simulate(self, call: Call) -> bytes:
        """Forecast a plan."""
        asked: Simulate = call.body
        terms = await self._tenants.terms(call.caller.tenant, asked.agent_id, now=True)
        found = await simulations.forecast(self._workers, question(asked), terms)
        SIMULATIONS.labels(found.status).inc()
        count_errors(found.reasons, found.said.rulings if found.said else ())
        return found.body

    async def query(self, call: Call) -> bytes:
        """Answer one of the six questions."""
        asked: Query = call.body
        tenant, records = call.caller.tenant, list[Mapping[str, Any]]()
        if asked.query_type in queries.ABOUT_RECORDS and self._runs is not None:
            if asked.run_id is not None:
                records = [await self._runs.get(tenant, asked.run_id)]
            else:
                records = await self._runs.latest(tenant, asked.agent_id, _RUNS)
        terms = await self._tenants.terms(tenant, asked.agent_id, now=True)
        return queries.answer(asked.query_type, asked.params, terms, records)

    async def capabilities(self, call: Call) -> bytes:
        """Skills, money, rates and permissions."""
        asked: CapabilitiesQuery = call.query
        terms = await self._tenants.terms(call.caller.tenant, asked.agent_id)
        return capabilities.capabilities(terms, asked.agent_id, _permissions(call.caller))

    async def skills(self, call: Call) -> bytes:
        """Every skill of the tenant's catalog."""
        terms = await self._tenants.terms(call.caller.tenant, None)
        return capabilities.skills(terms.catalog)

    async def skill(self, call: Call) -> bytes:
        """One skill in full."""
        terms = await self._tenants.terms(call.caller.tenant, None)
        return capabilities.skill(terms.catalog, call.path["skill_id"])

    async def resource_contract(self, call: Call) -> bytes:
        """What a skill or a pool may be asked for."""
        terms = await self._tenants.terms(call.caller.tenant, None)
        return capabilities.resource_contract(terms, call.path["resource_id"])


def question(asked: Simulate) -> Question:
    """What a request asks of the engine."""
    return Question(
        asked.plan,
        asked.inputs,
        Limits(decimal(asked.budget_cents), asked.deadline_ms, asked.confidence, asked.min_success),
        asked.samples,
        asked.seed,
        asked.alternatives,
        judge=True,
        obey=True,
    )


def _permissions(caller: Caller) -> tuple[str, ...]:
    """The kinds of act that the caller may do."""

    def may(act: Act) -> bool:
        try:
            require(caller, act)
        except AosError:
            return False
        return True

    return tuple(act for act in ACTS if may(act))
