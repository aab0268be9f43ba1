"""The six questions an agent asks between two steps, answered from the catalog and what is recorded."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from aos.domain.goals import Candidate, candidates
from aos.domain.skills import Catalog
from aos.errors import AosError, Finding
from aos.wire.problems import visible
from aos.wire.results import money
from aos.wire.shape import closest


class Question(NamedTuple):
    """What the caller told: the catalog that holds, a goal in words, a budget in cents."""

    catalog: Catalog
    goal: str | None = None
    budget_cents: Decimal | None = None


class Reply(NamedTuple):
    """`result` as a JSON value, and why the nulls in it are unknown: key of the result -> reason."""

    query_type: str
    result: Mapping[str, Any]
    unknowns: Mapping[str, str]


def ask(query_type: str, question: Question) -> Reply:
    """Answer one of `QUERIES`.

    Raises AosError: usage for another type or a missing goal, needs_ledger for a question about past runs
    where none are recorded.
    """
    if query_type not in QUERIES:
        meant = closest(query_type, QUERIES)
        detail = f'there is no query "{visible(query_type)}"' + (
            f'; did you mean "{meant}"?' if meant else ""
        )
        finding = Finding("/query_type", "bad_value", detail, tuple(QUERIES), meant)
        raise AosError("usage", detail, fix=f"Ask one of: {', '.join(QUERIES)}.", findings=[finding])
    return QUERIES[query_type](query_type, question)


def _remaining_budget(query_type: str, question: Question) -> Reply:
    reason = "nothing has been recorded: there is no ledger"
    result = {
        "budget_cents": money(question.budget_cents),
        "spent_cents": None,
        "remaining_budget_cents": None,
    }
    unknowns = {"spent_cents": reason, "remaining_budget_cents": reason}
    if question.budget_cents is None:
        unknowns["budget_cents"] = "no budget was given, with --budget or in aos.toml"
    return Reply(query_type, result, unknowns)


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
            "why": _why(found),
            "purpose": question.catalog.skills[found.skill].purpose,
        }
        for found in candidates(question.goal, enabled)
    ]
    return Reply(query_type, {"goal": question.goal, "skills": skills}, {})


def _why(found: Candidate) -> str:
    """`id: send, email; purpose: message`."""
    places: dict[str, list[str]] = {place: [] for place in ("id", "purpose", "params", "hints")}
    for match in found.matches:
        places[match.place].append(match.word)
    return "; ".join(f"{place}: {', '.join(words)}" for place, words in places.items() if words)


def _from_ledger(query_type: str, _: Question) -> Reply:
    raise AosError("needs_ledger", f"{query_type} is about past runs, and none are recorded here")


QUERIES: Mapping[str, Callable[[str, Question], Reply]] = {
    "remaining_budget_cents": _remaining_budget,
    "what_did_i_try_already": _from_ledger,
    "allowed_skills": _allowed_skills,
    "last_step_outcome": _from_ledger,
    "skills_available_for_goal": _skills_for_goal,
    "why_did_step_fail": _from_ledger,
}
