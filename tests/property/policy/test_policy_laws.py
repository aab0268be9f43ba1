"""Laws of policies, over random rules and facts."""

from hypothesis import given
from hypothesis import strategies as st

from aos.domain.approvals.policies import Facts, Principal, Question
from aos.policy.decide import decide
from aos.policy.missing import missing, strictness
from aos.policy.rules import Policy, Source, load

NUMBERS = ("cost_p95_cents", "duration_p95_ms", "success_bp")
FLAGS = ("read_only", "idempotent", "destructive", "reversible", "open_world")
OVERFLOW = "forbid (principal, action, resource) when { (context.steps + 1) * 9223372036854775807 > 0 };"

amounts = st.integers(0, 12_000)
conditions = st.one_of(
    st.sampled_from([f"context.{flag}" for flag in FLAGS]),
    st.sampled_from([f"!context.{flag}" for flag in FLAGS]),
    st.sampled_from([f"context has {number}" for number in NUMBERS]),
    st.builds("context.approval_level >= {}".format, st.integers(0, 6)),
    st.builds("context.approval_level < {}".format, st.integers(0, 6)),
    st.builds("context.steps {} {}".format, st.sampled_from(["<", ">"]), st.integers(0, 9)),
    st.builds(
        "(context has {0} && context.{0} {1} {2})".format,
        st.sampled_from(NUMBERS),
        st.sampled_from(["<", ">="]),
        amounts,
    ),
    st.just('(context has risks && context.risks.contains("TIMEOUT"))'),
)
bodies = st.builds(
    "(principal, action, resource) {} {{ {} }};".format,
    st.sampled_from(["when", "unless"]),
    st.lists(conditions, min_size=1, max_size=3).map(" && ".join),
)
rules = st.lists(
    st.builds("{} {}".format, st.sampled_from(["permit", "forbid"]), bodies), min_size=1, max_size=5
)
questions = st.builds(
    Question,
    st.just(Principal()),
    st.sampled_from(["run", "call"]),
    st.just("thing"),
    st.builds(
        Facts,
        st.integers(1, 9),
        *[st.booleans()] * len(FLAGS),
        *[st.none() | amounts] * 3,
        st.none() | st.sets(st.sampled_from(["TIMEOUT", "DENIED"])).map(lambda codes: tuple(sorted(codes))),
    ),
)


def policy(texts: list[str]) -> Policy:
    return load([Source("rules.cedar", "\n".join(texts).encode())])


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
