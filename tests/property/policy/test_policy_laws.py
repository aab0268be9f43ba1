"""Laws of policies, over random rules and facts."""

from hypothesis import given

from aos.domain.approvals.policies import Question
from aos.policy.decide import decide
from aos.policy.missing import missing, strictness
from tests.strategies.policies import OVERFLOW, bodies, policy, questions, rules


@given(rules, questions)
def test_a_forbid_wins_over_whatever_permits(texts: list[str], question: Question) -> None:
    ruling = decide(policy([*texts, "forbid (principal, action, resource);"]), question)
    assert (ruling.decision, ruling.ground) == ("deny", "forbidden")


@given(rules, bodies, questions)
def test_one_more_forbid_never_makes_it_laxer(texts: list[str], body: str, question: Question) -> None:
    before, after = decide(policy(texts), question), decide(policy([*texts, f"forbid {body}"]), question)
    assert strictness(after) >= strictness(before)


@given(rules, bodies, questions)
def test_one_more_permit_never_makes_it_stricter(texts: list[str], body: str, question: Question) -> None:
    before, after = decide(policy(texts), question), decide(policy([*texts, f"permit {body}"]), question)
    assert strictness(after) <= strictness(before)


@given(rules, questions)
def test_an_error_is_never_an_allow(texts: list[str], question: Question) -> None:
    ruling = decide(policy([*texts, OVERFLOW]), question)
    assert (ruling.decision, ruling.ground) == ("deny", "error")
    assert ruling.errors


@given(rules, questions)
def test_the_order_of_rules_means_nothing(texts: list[str], question: Question) -> None:
    one, other = policy(texts), policy(texts[::-1])
    assert one.digest == other.digest
    assert decide(one, question)[:3] == decide(other, question)[:3]


@given(rules, questions)
def test_a_missing_fact_gives_what_it_promises(texts: list[str], question: Question) -> None:
    loaded = policy(texts)
    now = decide(loaded, question)
    for would in missing(loaded, question):
        value = (
            tuple(code for code in question.facts.risks or () if code != would.value)
            if would.relation == "without"
            else would.value
        )
        then = decide(loaded, _with(question, would.fact, value))
        assert (then.decision, then.level) == (would.decision, would.level)
        assert strictness(then) < strictness(now)
        known = getattr(question.facts, would.fact)
        if would.relation in ("<=", ">=") and known is not None:
            assert isinstance(would.value, int)
            beyond = would.value + (1 if would.relation == "<=" else -1)
            assert strictness(decide(loaded, _with(question, would.fact, beyond))) > strictness(then)


def _with(question: Question, fact: str, value: object) -> Question:
    return question._replace(facts=question.facts._replace(**{fact: value}))  # type: ignore[arg-type]
