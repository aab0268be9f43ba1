"""Laws of replays, over random rules and records."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aos.domain.approvals.policies import rank
from aos.domain.approvals.replays import Asked, Recorded, Replay, Why
from aos.policy.decide import decide
from aos.policy.missing import strictness
from aos.policy.replay import replay
from aos.wire.results.replays import Compared, replay_document
from tests.strategies.policies import OVERFLOW, bodies, policy, questions, rules

asked = st.lists(questions, min_size=1, max_size=3).map(
    lambda every: tuple(Asked(f"s{i}" if i else "", "", one) for i, one in enumerate(every))
)
moments = st.none() | st.integers(0, 10**13)
cents = st.none() | st.floats(0, 1e6)


def recorded(number: int, known: Any, at_ms: int | None, mean: float | None) -> Recorded:
    why = None if known else Why("plan_not_kept", "gone")
    return Recorded(f"r{number}", "run", at_ms, known, known and "forecast", why, mean)


records = st.lists(st.tuples(st.none() | asked, moments, cents), max_size=6).map(
    lambda every: [recorded(i, *one) for i, one in enumerate(every)]
)
names = Compared("now", "then")


def document(found: Replay) -> dict[str, Any]:
    return replay_document(found, names)


@given(rules, records)
def test_rules_against_themselves_change_nothing(texts: list[str], known: list[Recorded]) -> None:
    told = document(replay(policy(texts), policy(texts), known))
    assert (told["changed"], told["transitions"], told["rows"]) == (0, [], [])
    assert set(told["changes"].values()) == {0}


@given(rules, bodies | st.just(OVERFLOW.removeprefix("forbid ")), records)
def test_one_more_forbid_lets_nothing_through(texts: list[str], body: str, known: list[Recorded]) -> None:
    changes = document(replay(policy(texts), policy([*texts, f"forbid {body}"]), known))["changes"]
    assert changes["newly_allowed"] == changes["level_lowered"] == changes["no_longer_denied"] == 0


@given(rules, rules, records)
def test_it_says_of_each_what_deciding_says(now: list[str], then: list[str], known: list[Recorded]) -> None:
    """Nothing is remembered that matters, however much the records are alike."""
    before, after = policy(now), policy(then)
    for row in replay(before, after, known).rows:
        if row.recorded.asked is None:
            assert row.said is None
            continue
        assert row.said is not None
        for rules_, answer in zip((before, after), row.said, strict=True):
            rulings = [decide(rules_, one.question) for one in row.recorded.asked]
            strictest = max(rulings, key=strictness)
            assert (answer.decision, answer.level) == (strictest.decision, strictest.level)
            assert answer.ground == strictest.ground
            assert set(answer.rules) == {
                rule.id
                for ruling in rulings
                if strictness(ruling) == strictness(strictest)
                for rule in ruling.rules
            }


@given(rules, rules, records, st.randoms(use_true_random=False))
def test_the_order_of_records_makes_no_difference(
    now: list[str], then: list[str], known: list[Recorded], chance: Any
) -> None:
    shuffled = list(known)
    chance.shuffle(shuffled)
    policies = policy(now), policy(then)
    assert document(replay(*policies, known)) == document(replay(*policies, shuffled))


@given(rules, rules, records, st.integers(0, 4))
def test_every_record_is_accounted_for(
    now: list[str], then: list[str], known: list[Recorded], questions_: int
) -> None:
    """Also where there was no time for all of them; what is not known is in no sum, and in no count of what is."""
    left = iter([False] * questions_)
    found = replay(policy(now), policy(then), known, lambda: next(left, True))
    told = document(found)
    assert told["total"] == told["determined"] + told["undetermined"]
    assert told["total"] + told["left_off"] == len(known)
    assert told["undetermined"] == sum(one.asked is None for one in known)
    assert told["changed"] == sum(one["records"] for one in told["transitions"])
    assert told["changed"] == sum(told["changes"].values()) <= told["determined"]
    for one in told["transitions"]:
        total = one["forecast_cents"]
        assert total["known"] + total["unknown"] == one["records"]
        assert sum(group["records"] for group in one["groups"]) + one["groups_left_off"] >= len(one["groups"])
        was, now_ = (rank(one[end]["decision"], one[end]["level"]) for end in ("before", "after"))
        assert was != now_


@given(rules, records)
def test_a_rule_that_never_matched_could_as_well_be_left_out(texts: list[str], known: list[Recorded]) -> None:
    candidate = policy(texts)
    dead = [i for i, use in enumerate(replay(candidate, candidate, known).rules) if use.matched is False]
    rest = [text for i, text in enumerate(texts) if i not in dead]
    if rest:
        assert document(replay(candidate, policy(rest), known))["changed"] == 0
