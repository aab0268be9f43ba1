"""Arrays and bools are decided alike: the rules have one home."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.plans.flow import Flow, too_dear
from aos.domain.plans.plan import Plan, order
from tests.strategies.plans import plans


@given(plans(), st.data())
def test_many_runs_at_once_are_decided_like_each_alone(plan: Plan, data: st.DataObject) -> None:
    dag = order(plan.steps)
    runs = data.draw(st.integers(1, 4))
    ends = {
        i: np.array(data.draw(st.lists(st.booleans(), min_size=runs, max_size=runs))) for i in dag.sequence
    }
    together = Flow(plan.steps, dag, np.ones(runs, bool))
    alone = [Flow(plan.steps, dag, True) for _ in range(runs)]
    for i in dag.sequence:
        ran = together.decide(i)
        assert [flow.decide(i) for flow in alone] == list(ran)
        together.end(i, ends[i])
        for flow, ok in zip(alone, ends[i], strict=True):
            flow.end(i, bool(ok))
    assert [flow.success() for flow in alone] == list(together.success())


def test_a_step_that_asks_for_nothing_is_never_too_dear():
    assert not too_dear(0, before=10, budget=5)
    assert not too_dear(3, before=2, budget=5)
    assert too_dear(4, before=2, budget=5)
