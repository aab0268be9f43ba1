"""The six questions an agent asks between two steps, answered from the catalog and what is recorded."""

from collections.abc import Callable, Mapping
from typing import Any

from aos.api.running import history
from aos.api.running.history import Question, Reply
from aos.domain.skills.goals import candidates
from aos.errors import AosError, Exit, Finding
from aos.wire.results.documents import envelope
from aos.wire.shape import no_such

__all__ = ["QUERIES", "Question", "Reply", "ask", "document", "exit_status"]


def ask(query_type: str, question: Question) -> Reply:
    """Answer one of `QUERIES`.

    Raises AosError: usage for another type or a missing goal, needs_ledger for a question about past runs
    where none are recorded, run_not_found, and what a ledger that can't be read has for it.
    """
    if query_type not in QUERIES:
        found = no_such("query", query_type, QUERIES, code="bad_value", pointer="/query_type")
        raise AosError("usage", found.detail, fix=f"Ask one of: {', '.join(QUERIES)}.", findings=[found])
    return QUERIES[query_type](query_type, question)


def exit_status(reply: Reply) -> Exit:
    """5 where what was asked for is unknown."""
    return Exit.YES if reply.answered else Exit.UNDETERMINED


def document(reply: Reply) -> dict[str, Any]:
    """The document `aos.query/1`."""
    return {
        **envelope("aos.query/1"),
        "query_type": reply.query_type,
        "result": reply.result,
        "exit_code": int(exit_status(reply)),
        "unknowns": [{"pointer": f"/result/{key}", "reason": why} for key, why in reply.unknowns.items()],
        "supported_queries": list(QUERIES),
    }


def _allowed_skills(query_type: str, question: Question) -> Reply:
    """Without a policy every skill is allowed that the catalog enables."""
    skills = question.catalog.skills.values()
    result = {
        "allowed": [skill.id for skill in skills if skill.enabled],
        "disabled": [skill.id for skill in skills if not skill.enabled],
    }
    return Reply(query_type, result, {})


def _skills_for_goal(query_type: str, question: Question) -> Reply:
    if not question.goal:
        raise AosError(
            "usage",
            f"{query_type} needs a goal",
            fix=f'aos query {query_type} --goal "send an e-mail"',
            findings=[Finding("/params/goal", "missing_key", "the goal is missing")],
        )
    enabled = [skill for skill in question.catalog.skills.values() if skill.enabled]
    skills = [
        {
            "skill": found.skill,
            "score": found.score,
            "why": found.why,
            "purpose": question.catalog.skills[found.skill].purpose,
        }
        for found in candidates(question.goal, enabled)
    ]
    return Reply(query_type, {"goal": question.goal, "skills": skills}, {})


QUERIES: Mapping[str, Callable[[str, Question], Reply]] = {
    "remaining_budget_cents": history.remaining_budget,
    "what_did_i_try_already": history.what_was_tried,
    "allowed_skills": _allowed_skills,
    "last_step_outcome": history.last_step,
    "skills_available_for_goal": _skills_for_goal,
    "why_did_step_fail": history.why_it_failed,
}
