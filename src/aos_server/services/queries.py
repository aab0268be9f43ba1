"""The questions that an agent asks between two steps, answered with what holds for its tenant."""

from collections.abc import Mapping

from aos.api.queries import QUERIES, Question, Reply, ask
from aos.errors import Finding, InputError
from aos.wire.encode import one_line
from aos.wire.results import envelope, money
from aos.wire.shape import at
from aos.wire.strict import Json
from aos_server.services.tenants import Terms, catalog_of

__all__ = ["answer"]


def answer(query_type: str, params: Mapping[str, Json], terms: Terms) -> bytes:
    """The document `aos.query/1`; `query_type` is one of `QUERIES`.

    Raises InputError(invalid_request) for a parameter that is missing, AosError(needs_ledger) for a question about past
    runs where none were uploaded.
    """
    reply = (
        _budget(query_type, terms)
        if query_type == "remaining_budget_cents"
        else _ask(query_type, params, terms)
    )
    document = {
        **envelope("aos.query/1"),
        "query_type": reply.query_type,
        "result": reply.result,
        "exit_code": 5 if reply.unknowns else 0,
        "unknowns": [{"pointer": at("/result", key), "reason": why} for key, why in reply.unknowns.items()],
        "supported_queries": list(QUERIES),
    }
    return one_line(document).encode()


def _ask(query_type: str, params: Mapping[str, Json], terms: Terms) -> Reply:
    goal = params.get("goal")
    if query_type == "skills_available_for_goal" and not (isinstance(goal, str) and goal):
        finding = Finding("/params/goal", "missing_key", "a goal, as text, is missing")
        raise InputError.of("invalid_request", "body", [finding])
    reply = ask(query_type, Question(catalog_of(terms.catalog), goal if isinstance(goal, str) else None))
    if query_type != "allowed_skills":
        return reply
    allowed = [name for name in reply.result["allowed"] if terms.allows(name)]
    result = {
        **reply.result,
        "allowed": allowed,
        "forbidden": [name for name in reply.result["allowed"] if not terms.allows(name)],
        "skills": allowed,
        "count": len(allowed),
    }
    return reply._replace(result=result)


def _budget(query_type: str, terms: Terms) -> Reply:
    spent = None if terms.unpriced else money(terms.spent_cents)
    total, remaining = money(terms.budget_cents), money(terms.remaining_cents)
    unknowns: dict[str, str] = {}
    if terms.budget_cents is None:
        unknowns |= dict.fromkeys(
            ("budget_cents", "remaining_budget_cents"), "no budget is set for this tenant"
        )
    if terms.unpriced:
        reason = f"{terms.unpriced} recorded attempts have no known cost"
        unknowns |= dict.fromkeys(("spent_cents", "remaining_budget_cents"), reason)
    result = {
        "budget_cents": total,
        "spent_cents": spent,
        "remaining_budget_cents": remaining,
        "total_cents": total,
        "remaining_cents": remaining,
    }
    return Reply(query_type, result, unknowns)
