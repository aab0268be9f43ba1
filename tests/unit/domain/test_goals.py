"""Skills for a goal: ranked by the words that speak for them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aos.domain.skills.goals import Match, candidates
from aos.domain.skills.skill import Skill
from aos.wire.catalogs.read import default_catalog

SKILLS = list(default_catalog().skills.values())


def found(goal: str) -> list[str]:
    return [candidate.skill for candidate in candidates(goal, SKILLS)]


def test_the_skill_that_a_goal_names_comes_first() -> None:
    assert found("send an email to the team")[0] == "email_send"
    assert found("notify a webhook")[0] == "webhook_send"
    assert found("Ask a LANGUAGE model")[0] == "llm_invoke"
    assert found("call an HTTP endpoint")[0] == "http_call"


def test_a_word_counts_where_it_weighs_most_and_says_where() -> None:
    best = candidates("email, subject", SKILLS)[0]
    assert best.matches == (Match("email", "id"), Match("subject", "params"))
    assert best.score == 4


def test_longer_forms_of_a_word_match() -> None:
    assert "http_call" in found("endpoints")
    assert found("write files")[0] == "fs_write"


def test_words_that_say_nothing_find_nothing() -> None:
    assert found("to be or not to be") == []
    assert found("with this and that") == []
    assert found("") == []


def test_a_hint_alone_is_not_enough() -> None:
    """json_transform often follows others, but nothing else in them is about JSON."""
    names = {candidate.skill: candidate for candidate in candidates("transform", SKILLS)}
    assert list(names) == ["json_transform"]


@given(st.text(), st.permutations(SKILLS))
def test_ranks_fall_and_equal_ones_keep_their_order(goal: str, skills: list[Skill]) -> None:
    ranked = candidates(goal, skills)
    keys = [(candidate.score, len(candidate.matches)) for candidate in ranked]
    assert keys == sorted(keys, reverse=True)
    assert all(candidate.score > 0 for candidate in ranked)
    order = [skill.id for skill in skills]
    for one, other in pairwise(ranked):
        if (one.score, len(one.matches)) == (other.score, len(other.matches)):
            assert order.index(one.skill) < order.index(other.skill)


@given(st.sampled_from(SKILLS), st.text())
def test_more_words_never_lower_a_score(skill: Skill, more: str) -> None:
    alone, with_more = candidates(skill.purpose, [skill]), candidates(f"{skill.purpose} {more}", [skill])
    assert with_more[0].score >= alone[0].score
