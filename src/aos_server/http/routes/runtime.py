"""The part of the API that is about plans before they run."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.runtime import Runtime
from aos_server.http.models.base import InTenant
from aos_server.http.models.runtime import (
    Capabilities,
    CapabilitiesQuery,
    Query,
    QueryAnswer,
    ResourceContract,
    Simulate,
    Simulation,
    Skill,
    Skills,
)

__all__ = ["runtime"]


def runtime(at: str, to: Runtime) -> tuple[Endpoint, ...]:
    """Simulating, the six questions, and what can be called."""
    return (
        Endpoint(
            "POST",
            f"{at}/simulate",
            "Forecast a plan and decide whether it is feasible",
            to.simulate,
            Simulation,
            act="evaluate",
            body=Simulate,
            plan=True,
            codes=["overloaded", "not_computed"],
        ),
        Endpoint(
            "POST",
            f"{at}/query",
            "Ask one of the six questions that come up between two steps",
            to.query,
            QueryAnswer,
            act="evaluate",
            body=Query,
            codes=["needs_ledger"],
        ),
        Endpoint(
            "GET",
            f"{at}/capabilities",
            "Skills, budget, rate limits and permissions",
            to.capabilities,
            Capabilities,
            act="read",
            query=CapabilitiesQuery,
        ),
        Endpoint(
            "GET",
            f"{at}/skills",
            "Every skill",
            to.skills,
            Skills,
            act="read",
            query=InTenant,
        ),
        Endpoint(
            "GET",
            f"{at}/skills/{{skill_id}}",
            "One skill in full",
            to.skill,
            Skill,
            act="read",
            query=InTenant,
            codes=["skill_not_found"],
        ),
        Endpoint(
            "GET",
            f"{at}/resource-contract/{{resource_id}}",
            "What a skill or a pool of slots may be asked for",
            to.resource_contract,
            ResourceContract,
            act="read",
            query=InTenant,
            codes=["resource_not_found"],
        ),
    )
