"""The part of the API that is about rules."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.policy import Policy
from aos_server.http.handlers.policy_versions import PolicyVersions as Versions
from aos_server.http.models.base import InTenant
from aos_server.http.models.policy import (
    ActivatePolicy,
    ActivePolicy,
    Evaluate,
    PolicyActivation,
    PolicyDecision,
    PolicyReceipt,
    PolicyReplay,
    PolicyVersion,
    PolicyVersions,
    PushPolicy,
    ReplayPolicy,
    VersionsQuery,
)

__all__ = ["policy", "versions"]


def policy(at: str, to: Policy) -> tuple[Endpoint, ...]:
    """What the rules decide."""
    return (
        Endpoint(
            "POST",
            f"{at}/eval",
            "Decide whether a call or a plan is allowed",
            to.evaluate,
            PolicyDecision,
            act="evaluate",
            body=Evaluate,
            plan=True,
            codes=["overloaded", "not_computed"],
        ),
    )


def versions(at: str, to: Versions) -> tuple[Endpoint, ...]:
    """Versions of the rules: a person lets one hold."""
    return (
        Endpoint(
            "POST",
            f"{at}/versions",
            "Push rules as the next version; they hold once they are activated",
            to.push_policy,
            PolicyReceipt,
            act="operate",
            body=PushPolicy,
            codes=[
                "invalid_policy",
                "overloaded",
                "not_computed",
                "idempotency_mismatch",
                "request_in_progress",
            ],
            status=201,
            again=200,
        ),
        Endpoint(
            "GET",
            f"{at}/versions",
            "Versions of the rules, the newest first",
            to.list_policies,
            PolicyVersions,
            act="read",
            query=VersionsQuery,
        ),
        Endpoint(
            "GET",
            f"{at}/versions/{{version}}",
            "One version of the rules with its text; 0 are those that ship",
            to.get_policy,
            PolicyVersion,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
        Endpoint(
            "POST",
            f"{at}/versions/{{version}}/activate",
            "Let a version of the rules hold from now on",
            to.activate_policy,
            PolicyActivation,
            act="operate",
            body=ActivatePolicy,
            codes=[
                *("not_found", "policy_conflict", "invalid_policy", "overloaded", "not_computed"),
                *("idempotency_mismatch", "request_in_progress"),
            ],
        ),
        Endpoint(
            "GET",
            f"{at}/active",
            "Which version of the rules holds",
            to.active_policy,
            ActivePolicy,
            act="read",
            query=InTenant,
        ),
        Endpoint(
            "POST",
            f"{at}/replay",
            "Ask other rules about what is on record: what would have been different",
            to.replay_policy,
            PolicyReplay,
            act="evaluate",
            body=ReplayPolicy,
            codes=["not_found", "invalid_policy", "overloaded", "not_computed"],
        ),
    )
