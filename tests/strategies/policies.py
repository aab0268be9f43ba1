"""Random rules, and questions to ask them."""

from hypothesis import strategies as st

from aos.domain.approvals.policies import Facts, Principal, Question
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
