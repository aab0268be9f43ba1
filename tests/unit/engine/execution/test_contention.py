"""First come, first served, in all samples at once: as the reference loop does it, to the bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from aos.engine.execution.contention import contended, schedule
from tests.unit.engine.execution import reference_loop

PER_MS = 1000  # plans here count in microseconds
NO_QUEUES: dict[str, Any] = {"slots": [], "limits": []}

Plan = dict[str, Any]  # the arguments of `schedule`, by name
Times = NDArray[np.float64]


@st.composite
def plans(draw: st.DrawFn, max_nodes: int = 14, most: int = 5, inactive: bool = True) -> Plan:
    """A plan of small whole times, so that ties and zeros abound."""
    nodes, samples = draw(st.integers(1, max_nodes)), draw(st.integers(1, 5))
    after = [draw(st.lists(st.integers(0, i - 1), max_size=3)) if i else [] for i in range(nodes)]
    slots = draw(st.lists(st.integers(1, 3), max_size=3))
    limits = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), max_size=3))

    def one_each(of: st.SearchStrategy[Any]) -> NDArray[Any]:
        rows = st.lists(of, min_size=samples, max_size=samples)
        return np.array(draw(st.lists(rows, min_size=nodes, max_size=nodes)))

    return {
        "after": after,
        "gap": one_each(st.sampled_from([0, 0, 0, 1, 2])),
        "hold": one_each(st.integers(0, most)),
        "active": one_each(st.sampled_from([True, True, True, not inactive])),
        "pool": [draw(st.integers(-1, len(slots) - 1)) for _ in range(nodes)],
        "slots": slots,
        "limiter": [draw(st.integers(-1, len(limits) - 1)) for _ in range(nodes)],
        "limits": limits,
        "starts": one_each(st.integers(1, 3)),
    }


def plan_of(after: Sequence[Sequence[int]], hold: Any, **more: Any) -> Plan:
    """A plan of one sample; what is not given is nothing, for every node."""
    nodes = len(after)
    plan: Plan = {"pool": [-1] * nodes, "limiter": [-1] * nodes, **NO_QUEUES, **more}
    plan |= {"after": after, "hold": np.array(hold)[:, None]}
    for name, usual in (("gap", 0), ("active", True), ("starts", 1)):
        plan[name] = np.array(more.get(name, [usual] * nodes))[:, None]
    return plan


def scheduled(plan: Plan) -> tuple[Times, Times]:
    """Start and end by `schedule`, in microseconds, of shape (nodes, samples)."""
    limits = [(interval / PER_MS, burst) for interval, burst in plan["limits"]]
    start, end = schedule(
        **plan | {"gap": plan["gap"] / PER_MS, "hold": plan["hold"] / PER_MS, "limits": limits}
    )
    return np.rint(start * PER_MS), np.rint(end * PER_MS)


def expected(plan: Plan) -> Times:
    """The same by the reference loop."""
    of_samples = ("gap", "hold", "active", "starts")
    results = [
        reference_loop.run(**plan | {name: plan[name][:, s].tolist() for name in of_samples})
        for s in range(plan["hold"].shape[1])
    ]
    return np.array(results).transpose(1, 2, 0)


def starts_of(plan: Plan) -> list[float]:
    """Starts of a plan of one sample, the same from `schedule` and from the reference loop."""
    start, end = scheduled(plan)
    np.testing.assert_array_equal((start, end), expected(plan))
    starts: list[float] = start[:, 0].tolist()
    return starts


# Two queues before one limiter: node 1 is ready first, but its pool lets it through later.
SLOWER_QUEUE = plan_of(
    [[], [], [], []],
    [9, 1, 1, 1],
    gap=[0, 1, 2, 3],
    pool=[0, 0, -1, 1],
    slots=[1, 1],
    limiter=[-1, 0, 0, 0],
    limits=[(4, 1)],
)


@given(plans())
@example(SLOWER_QUEUE)
def test_equals_the_reference_loop(plan):
    np.testing.assert_array_equal(scheduled(plan), expected(plan))


@given(plans(max_nodes=6, most=1))
def test_equals_the_reference_loop_where_nearly_all_is_a_tie(plan):
    np.testing.assert_array_equal(scheduled(plan), expected(plan))


@given(plans(inactive=False))
def test_without_active_all_are_and_without_starts_each_takes_one_permit(plan):
    plan["starts"][:] = 1
    np.testing.assert_array_equal(scheduled(plan | {"active": None, "starts": None}), expected(plan))


def test_a_slot_goes_to_who_was_ready_first_then_to_the_lower_number():
    plan = plan_of([[], [], [], []], [5, 5, 5, 5], gap=[3, 2, 2, 0], pool=[0] * 4, slots=[1])
    assert starts_of(plan) == [15, 5, 10, 0]


def test_a_burst_passes_at_once_and_then_one_per_interval():
    plan = plan_of([[]] * 5, [1] * 5, limiter=[0] * 5, limits=[(10, 2)])
    assert starts_of(plan) == [0, 0, 10, 20, 30]


def test_a_node_of_three_attempts_uses_three_permits():
    plan = plan_of([[]] * 3, [1] * 3, limiter=[0] * 3, limits=[(10, 1)], starts=[3, 1, 1])
    assert starts_of(plan) == [0, 30, 40]


def test_a_slot_is_kept_while_waiting_for_a_permit():
    """Node 1 has the second slot from 0 on and its permit at 10: node 2, without a limiter, waits for node 0."""
    plan = plan_of(
        [[]] * 3, [7, 1, 1], pool=[0] * 3, slots=[2], limiter=[0, 0, -1], limits=[(10, 1)], starts=[1, 1, 1]
    )
    assert starts_of(plan) == [0, 10, 7]


def test_who_is_let_through_first_by_its_queue_is_first_at_the_limiter():
    assert starts_of(SLOWER_QUEUE) == [0, 10, 2, 6]


def test_an_inactive_node_starts_and_ends_with_its_last_predecessor():
    plan = plan_of(
        [[], [0], [1], []],
        [5, 5, 5, 5],
        gap=[0, 3, 0, 1],
        active=[True, False, True, True],
        pool=[0, 0, 0, 0],
        slots=[1],
    )
    start, end = scheduled(plan)
    assert start[:, 0].tolist() == [0, 5, 10, 5]
    assert end[1, 0] == 5


def test_an_inactive_node_waits_in_no_queue():
    """Node 1's pool is busy until 9; node 2, after it, is ready at 1 and asks the limiter before node 3."""
    plan = plan_of(
        [[], [], [1], [], []],
        [9, 1, 1, 1, 1],
        gap=[0, 0, 1, 2, 3],
        active=[True, False, True, True, True],
        pool=[0, 0, -1, -1, 0],
        slots=[1],
        limiter=[-1, -1, 0, 0, 0],
        limits=[(4, 1)],
    )
    assert starts_of(plan) == [0, 0, 1, 5, 9]


@given(plans(max_nodes=20, most=50))
def test_never_more_in_a_pool_than_slots_and_at_a_limiter_than_permits(plan):
    start, end = scheduled(plan)
    for sample in range(start.shape[1]):
        begin, finish, active = start[:, sample], end[:, sample], plan["active"][:, sample]
        for number, slots in enumerate(plan["slots"]):
            mine = active & (np.array(plan["pool"]) == number)
            assert all(sum((begin <= t) & (finish > t) & mine) <= slots for t in begin)
        for number, (interval, burst) in enumerate(plan["limits"]):
            mine = active & (np.array(plan["limiter"]) == number)
            for t in begin[mine]:
                later = mine & (begin >= t)
                used = plan["starts"][later, sample]
                for until in begin[later]:
                    before = begin[later] < until
                    assert interval * (used[before].sum() - burst + 1) <= until - t or not before.any()


@given(plans())
def test_what_is_not_contended_starts_when_it_is_ready(plan):
    max_permits = plan["starts"].max(axis=1).tolist()
    queues = {name: plan[name] for name in ("pool", "slots", "limiter", "limits")}
    if contended(plan["after"], max_permits=max_permits, **queues):
        return
    free = plan | NO_QUEUES | {"pool": [-1] * len(plan["pool"]), "limiter": [-1] * len(plan["pool"])}
    np.testing.assert_array_equal(expected(plan), expected(free))


@pytest.mark.parametrize(
    ("after", "slots", "burst", "answer"),
    [
        ([[], [0], [1], [2]], 1, 4, False),  # a chain never needs two slots
        ([[], [0], [0], [1, 2]], 2, 4, False),  # never more than two at once
        ([[], [0], [0], [0]], 2, 4, True),
        ([[], [], [], []], 4, 4, False),
        ([[], [], [], []], 4, 3, True),  # four permits, three at once
    ],
)
def test_steps_contend_only_where_slots_or_starts_may_run_out(after, slots, burst, answer):
    assert contended(after, [0] * 4, [slots], [0] * 4, [(1.0, burst)], [1] * 4) is answer


def test_a_limiter_without_interval_is_none():
    assert not contended([[], []], [-1, -1], [], [0, 0], [(0.0, 1)], [9, 9])


def test_samples_do_not_know_of_each_other():
    """More samples than one chunk holds, the last chunk not full: the same as two calls, and as the loop."""
    rng = np.random.default_rng(0)
    nodes, samples = 30, 9_000
    plan = plan_of([[], *([i // 3] for i in range(nodes - 1))], [0] * nodes, pool=[0] * nodes, slots=[2])
    plan |= {"hold": rng.integers(0, 1000, (nodes, samples)), "active": rng.random((nodes, samples)) < 0.9}
    plan |= {name: np.broadcast_to(plan[name], (nodes, samples)) for name in ("gap", "starts")}
    whole = np.array(scheduled(plan))
    arrays = ("gap", "hold", "active", "starts")
    for part in (slice(5_000), slice(5_000, None)):
        alone = scheduled(plan | {name: plan[name][:, part] for name in arrays})
        np.testing.assert_array_equal(whole[..., part], alone)
    few = slice(0, samples, 600)
    np.testing.assert_array_equal(whole[..., few], expected(plan | {n: plan[n][:, few] for n in arrays}))


@settings(max_examples=5)
@given(st.integers(0, 2**32))
def test_a_wide_plan_with_a_join_of_hundreds(seed):
    rng = np.random.default_rng(seed)
    after = [[], *([0] for _ in range(300)), list(range(1, 301))]
    plan = plan_of(after, rng.integers(0, 10, 302), gap=rng.integers(0, 3, 302), pool=[0] * 302, slots=[7])
    starts_of(plan)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_a_long_plan_of_rare_ties(seed):
    rng = np.random.default_rng(seed)
    after = [sorted(set(rng.integers(max(0, i - 9), i, 2).tolist())) if i else [] for i in range(80)]
    plan = plan_of(
        after,
        rng.integers(0, 10**7, 80),
        gap=rng.integers(0, 10**4, 80),
        pool=rng.integers(-1, 2, 80).tolist(),
        slots=[1, 2],
        limiter=rng.integers(-1, 2, 80).tolist(),
        limits=[(5 * 10**6, 2), (10**6, 1)],
    )
    starts_of(plan)


def test_times_are_rounded_to_microseconds_so_that_equal_sums_tie():
    """0.1 + 0.2 ms is 0.3 ms, so the lower number goes first, though as floats the sum is greater."""
    gap, hold = np.array([[0.0], [0.1], [0.3]]), np.array([[0.2], [1.0], [1.0]])
    start, _ = schedule([[], [0], []], gap, hold, None, [-1, 0, 0], [1], [-1] * 3, [], None)
    assert start.tolist() == [[0.0], [0.3], [1.3]]


def test_times_of_a_million_years_are_only_coarser():
    year = 365.25 * 24 * 3600 * 1000.0
    hold = np.full((3, 2), year * 10**6)
    start, end = schedule([[]] * 3, hold * 0, hold, None, [0] * 3, [1], [-1] * 3, [], None)
    np.testing.assert_allclose(start, hold * np.arange(3)[:, None], rtol=1e-12)
    np.testing.assert_allclose(end, hold * np.arange(1, 4)[:, None], rtol=1e-12)


@pytest.mark.parametrize("odd", [np.inf, np.nan, 1e308])
def test_times_without_end_are_refused(odd):
    hold = np.full((2, 2), odd)
    with pytest.raises(ValueError, match="finite"):
        schedule([[], []], hold, hold, None, [-1, -1], [], [-1, -1], [], None)


def test_nothing_to_do():
    for shape in ((0, 4), (2, 0)):
        nothing = np.zeros(shape)
        nodes = shape[0]
        start, end = schedule(
            [[]] * nodes, nothing, nothing, None, [0] * nodes, [1], [0] * nodes, [(1.0, 1)], None
        )
        assert start.shape == end.shape == shape
