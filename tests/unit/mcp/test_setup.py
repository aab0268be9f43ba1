"""The purse: what all runs of a session may cost together, whatever order they come in."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from aos.mcp.setup import Purse

AMOUNTS = st.integers(0, 500).map(Decimal)


@given(
    budget=AMOUNTS,
    runs=st.lists(st.tuples(st.none() | AMOUNTS, st.none() | st.integers(0, 10), st.booleans()), max_size=8),
)
def test_runs_never_have_more_than_the_budget_together(
    budget: Decimal, runs: list[tuple[Decimal | None, int | None, bool]]
) -> None:
    """Each run uses tenths of what it was granted (None: nobody knows how much), some after others have begun."""
    purse, used, still = Purse(budget), Decimal(0), list[tuple[Decimal, Decimal | None]]()
    for asked, share, at_once in runs:
        granted = purse.take(asked)
        assert granted <= (purse.budget_cents if asked is None else asked)
        spent = None if share is None else granted * share / 10
        used += granted if spent is None else spent
        assert used <= budget
        if at_once:
            purse.settle(granted, spent)
        else:
            still.append((granted, spent))
    for granted, spent in still:
        purse.settle(granted, spent)
    assert purse.left_cents == budget - used


def test_what_nobody_knows_is_taken_as_all_of_it() -> None:
    purse = Purse(Decimal(10))
    purse.settle(purse.take(Decimal(4)), None)
    assert (purse.left_cents, purse.take(None), purse.take(None)) == tuple(map(Decimal, (6, 6, 0)))
