"""Moods: the correlations that a catalog states are those that scores are drawn with, whatever it states."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.skills.skill import Correlation, Figure, PartCorrelation, Provenance
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.moods import REST, WHOLE, Moods, dependence
from aos.engine.sampling.streams import Streams

COUNT = 40_000


def stated(*ratios: float | None) -> Correlation:
    run, siblings, *rests = map(figure, ratios)
    return Correlation(run, siblings, PartCorrelation(*rests))


def figure(value: float | None) -> Figure[float] | None:
    return None if value is None else Figure(value, Provenance("declared"))


def scores(correlation: Correlation, calls: list[tuple[int, bool]]) -> Floats:
    """Scores of calls, each of a group and with sizes stated or not: what runs share, and what is their own."""
    moods = Moods(dependence(correlation), Streams(0), COUNT)
    rng = np.random.default_rng(1)
    rows = []
    for group, sized in calls:
        mood, share = moods.of(group, REST if sized else WHOLE)
        rows.append(
            np.sqrt(1 - share) * rng.normal(size=COUNT) + (0 if mood is None else np.sqrt(share) * mood)
        )
    return np.array(rows)


@pytest.mark.parametrize(
    ("correlation", "whole", "rests", "between"),
    [
        (stated(0.6, 0.8, 0.3, 0.5, 0.2), (0.6, 0.8), (0.3, 0.5), 0.2),
        (stated(0.6, 0.8, 0.0, 0.0, 0.0), (0.6, 0.8), (0.0, 0.0), 0.0),
        (stated(0.6, 0.8, 0.0, 0.5, 0.0), (0.6, 0.8), (0.0, 0.5), 0.0),
        (stated(0.6, 0.8), (0.6, 0.8), (0.6, 0.8), 0.6),
        (stated(0.4, None, 0.9), (0.4, 0.4), (0.9, 0.9), 0.6),
        # One step of a run alone has sizes: how rests go together was never seen.
        (stated(0.6, 0.8, None, None, 0.3), (0.6, 0.8), (0.15, 0.15), 0.3),
        # More than any two moods could have: as much as they can.
        (stated(0.2, None, 0.2, None, 0.9), (0.2, 0.2), (0.2, 0.2), 0.2),
    ],
)  # fmt: skip
def test_calls_correlate_as_stated(
    correlation: Correlation, whole: tuple[float, float], rests: tuple[float, float], between: float
) -> None:
    calls = [(0, False), (0, False), (1, False), (2, True), (2, True), (3, True)]
    wanted = np.eye(len(calls))
    for i, j in product(range(len(calls)), repeat=2):
        if i != j:
            (group, sized), (other, too) = calls[i], calls[j]
            wanted[i, j] = (rests if sized else whole)[group == other] if sized is too else between
    assert np.corrcoef(scores(correlation, calls)) == pytest.approx(wanted, abs=0.03)


@given(st.tuples(*[st.none() | st.floats(0, 0.99)] * 5))
def test_no_set_of_correlations_is_impossible(ratios: tuple[float | None, ...]) -> None:
    """Every share of a score is one, so that scores have the variance 1 and go together as some do."""
    run, _, rest_run, _, between = ratios
    shared = dependence(stated(*ratios))
    for shares in (shared.whole, shared.rests):
        assert 0 <= shares.run <= shares.siblings <= 1
    assert 0 <= shared.follow <= 1
    if run is not None and rest_run is not None and between is not None:
        most = np.sqrt(run * rest_run)
        assert shared.follow * most == pytest.approx(min(between, most))


def test_siblings_of_which_some_state_their_size_share_what_both_can() -> None:
    whole, rest = scores(stated(0.2, 0.8, 0.2, 0.8, 0.2), [(0, False), (0, True)])
    assert (whole * rest).mean() == pytest.approx(0.8, abs=0.02)
