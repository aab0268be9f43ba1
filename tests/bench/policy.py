"""Policies: a decision among 50 rules, next to the calls of Cedar that it takes, with everything parsed beforehand."""

from collections.abc import Callable, Iterator
from functools import partial
from json import dumps
from typing import Any

import cedarpy

from aos.domain.approvals.policies import Facts, Principal, Question
from aos.policy.decide import decide
from aos.policy.missing import missing
from aos.policy.rules import Policy, Source, load
from tests.bench.figures import Figure, interleaved

_RULES = 50
_CALLS, _ROUNDS = 200, 9
_FACTS = Facts(
    1, True, True, False, True, True, cost_p95_cents=25, duration_p95_ms=900, success_bp=9_900, risks=()
)
_QUESTION = Question(Principal(), "call", "http_call", _FACTS)


def measure() -> Iterator[Figure]:
    free, denied, asked = (_policy(level) for level in (0, 6, 3))
    jobs: dict[str, Callable[[], object]] = {
        "bare": partial(_again, partial(_bare, free)),
        "allow": partial(_again, partial(decide, free, _QUESTION)),
        "deny": partial(_again, partial(decide, denied, _QUESTION)),
        "approval": partial(_again, partial(decide, asked, _QUESTION)),
        "missing": partial(missing.__wrapped__, asked, _QUESTION),
    }
    took = interleaved(jobs, _ROUNDS)
    bare = took["bare"]
    yield Figure("a call of Cedar among 50 rules", bare / _CALLS * 1e6, "us", 1_000, False)
    yield Figure("allow: one call, in bare calls", took["allow"] / bare, "x", 2, False)
    yield Figure("deny: two calls, each in bare calls", took["deny"] / bare / 2, "x", 2, False)
    yield Figure("level 3: five calls, each in bare calls", took["approval"] / bare / 5, "x", 2, False)
    yield Figure("the facts that are missing", took["missing"] * 1e3, "ms", 250, False)


def _policy(level: int) -> Policy:
    """As many rules, of which the last permits from that level on."""
    rules = [
        "permit (principal, action, resource) when "
        f"{{ context has cost_p95_cents && context.cost_p95_cents > {1_000 + i} && context.steps > {i} }};"
        for i in range(_RULES - 1)
    ]
    last = f"permit (principal, action, resource) when {{ context.approval_level >= {level} }};"
    return load([Source("rules.cedar", "\n".join([*rules, last]).encode())])


def _again(job: Any) -> None:
    for _ in range(_CALLS):
        job()


def _bare(policy: Policy) -> None:
    cedarpy.is_authorized(_ASKED, policy.handle, _ENTITIES)


_CONTEXT = {**_FACTS._asdict(), "approval_level": 0}
_ASKED = {
    "principal": {"type": "Aos::Agent", "id": "local"},
    "action": {"type": "Aos::Action", "id": "call"},
    "resource": {"type": "Aos::Skill", "id": "http_call"},
    "context": dumps(_CONTEXT),
}
_TENANT = {"type": "Aos::Tenant", "id": "local"}
_ENTITIES = cedarpy.Entities.from_json_str(
    dumps(
        [
            {"uid": {"type": "Aos::Agent", "id": "local"}, "attrs": {}, "parents": [_TENANT]},
            {"uid": _TENANT, "attrs": {}, "parents": []},
        ]
    )
)
