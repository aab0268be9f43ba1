"""The six questions that an agent asks between two steps, answered with what holds for its tenant."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aos.domain.skills.goals import candidates
from aos.errors import Finding, InputError
from aos.wire.encode import one_line
from aos.wire.results.documents import envelope, money
from aos.wire.strict import Json
from aos_server.services.runtime import history
from aos_server.services.tenants import Terms, catalog_of

__all__ = ["ABOUT_RECORDS", "QUERIES", "answer"]

QUERIES = (
    "remaining_budget_cents",
    "what_did_i_try_already",
    "allowed_skills",
    "last_step_outcome",
    "skills_available_for_goal",
    "why_did_step_fail",
)


_OF_RECORDS = {
    "what_did_i_try_already": history.what_was_tried,
    "last_step_outcome": history.last_step,
    "why_did_step_fail": history.why_it_failed,
}
ABOUT_RECORDS = frozenset(_OF_RECORDS)
"""The questions that records answer."""


class Reply(NamedTuple):
    """`result` as a JSON value, and why nulls in it are unknown: key of the result -> reason."""

    result: Mapping[str, Any]
    unknowns: Mapping[str, str] = {}


def answer(
    query_type: str, params: Mapping[str, Json], terms: Terms, records: Sequence[Mapping[str, Any]]
) -> bytes:
    """The document `aos.query/1`; `query_type` is one of `QUERIES`, `records` are those that it is about.

    Raises InputError(invalid_request) for a parameter that is missing, AosError(needs_ledger) for a question about past
    runs where none were uploaded.
    """
    match query_type:
        case "remaining_budget_cents":
            reply = _budget(terms)
        case "allowed_skills":
            reply = _allowed(terms)
        case "skills_available_for_goal":
            reply = _for_goal(params.get("goal"), terms)
        case _:
            step = params.get("step")
            found = history.attempts(records, step if isinstance(step, str) else None)
            reply = Reply(*_OF_RECORDS[query_type](found))
    document = {
        **envelope("aos.query/1"),
        "query_type": query_type,
        "result": reply.result,
        "exit_code": 5 if reply.unknowns else 0,
        "unknowns": [{"pointer": f"/result/{key}", "reason": why} for key, why in reply.unknowns.items()],
        "supported_queries": list(QUERIES),
    }
    return one_line(document).encode()


def _allowed(terms: Terms) -> Reply:
    skills = catalog_of(terms.catalog).skills
    enabled = [name for name, one in skills.items() if one.enabled]
    allowed = [name for name in enabled if terms.allows(name)]
    return Reply(
        {
            "allowed": allowed,
            "forbidden": [name for name in enabled if name not in allowed],
            "disabled": [name for name in skills if name not in enabled],
            "skills": allowed,
            "count": len(allowed),
        }
    )


def _for_goal(goal: Json, terms: Terms) -> Reply:
    """Skills that serve a goal, among those that may be called."""
    if not isinstance(goal, str) or not goal:
        finding = Finding("/params/goal", "missing_key", "a goal, as text, is missing")
        raise InputError.of("invalid_request", "body", [finding])
    skills = catalog_of(terms.catalog).skills
    usable = [one for name, one in skills.items() if one.enabled and terms.allows(name)]
    found = [
        {"skill": one.skill, "score": one.score, "why": one.why, "purpose": skills[one.skill].purpose}
        for one in candidates(goal, usable)
    ]
    return Reply({"goal": goal, "skills": found})


def _budget(terms: Terms) -> Reply:
    budget = terms.budget
    spent = None if budget.unpriced else money(budget.spent_cents)
    total, remaining = money(budget.total_cents), money(budget.remaining_cents)
    unknowns: dict[str, str] = {}
    if budget.total_cents is None:
        unknowns |= dict.fromkeys(
            ("budget_cents", "remaining_budget_cents"), "no budget is set for this tenant"
        )
    if budget.unpriced:
        reason = f"{budget.unpriced} recorded attempts have no known cost"
        unknowns |= dict.fromkeys(("spent_cents", "remaining_budget_cents"), reason)
    return Reply(
        {
            "budget_cents": total,
            "spent_cents": spent,
            "remaining_budget_cents": remaining,
            "total_cents": total,
            "remaining_cents": remaining,
        },
        unknowns,
    )
