"""Moods: the correlations that a catalog states are those that scores are drawn with, whatever it states."""

from itertools import combinations, product

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


def part(*ratios: float | None) -> PartCorrelation:
    return PartCorrelation(*map(figure, ratios))


def test_parts_go_with_whole_latencies_and_not_with_each_other() -> None:
    """A whole mood is made of those of its parts: of what leaves unexplained what sizes are known, and of each size."""
    sizes = {"rows": part(0.3, 0.4, 0.2), "tokens": part(0.9, None, 0.5), "pages": part(0.5, None, None)}
    shared = Moods(dependence(stated(0.6, 0.8, 0.3, 0.5, 0.2)._replace(sizes=sizes)), Streams(0), COUNT)
    rng = np.random.default_rng(1)

    def score(part: str | None, group: int) -> Floats:
        mood, share = shared.of(group, part)
        assert mood is not None
        return np.asarray(np.sqrt(share) * mood + np.sqrt(1 - share) * rng.normal(size=COUNT))

    def together(one: str | None, other: str | None, group: int = 1) -> float:
        return float(np.corrcoef(score(one, 0), score(other, group))[0, 1])

    assert together("rows", "rows") == pytest.approx(0.3, abs=0.02)
    assert together("rows", "rows", group=0) == pytest.approx(0.4, abs=0.02)
    assert together("tokens", "tokens") == pytest.approx(0.9, abs=0.02)
    assert [together(one, WHOLE) for one in (REST, "rows", "tokens", "pages")] == pytest.approx(
        [0.2, 0.2, 0.5, 0.0], abs=0.02
    )
    for one, other in combinations((REST, "rows", "tokens", "pages"), 2):
        assert together(one, other) == pytest.approx(0, abs=0.02)


ratio = st.none() | st.floats(0, 0.99)


@given(st.tuples(*[ratio] * 5), st.lists(st.tuples(*[ratio] * 3), max_size=3))
def test_no_set_of_correlations_of_sizes_is_impossible(
    ratios: tuple[float | None, ...], sizes: list[tuple[float | None, ...]]
) -> None:
    named = {f"size{i}": part(*one) for i, one in enumerate(sizes)}
    correlation = stated(*ratios)._replace(sizes=named)
    shared = dependence(correlation)
    assert sum(one.follow**2 for one in shared.parts.values()) <= 1 + 1e-9
    moods = Moods(shared, Streams(0), 400)
    for name in (WHOLE, *shared.parts):
        mood, share = moods.of(0, name)
        assert 0 <= share <= 1
        assert mood is None or 0.6 < float(np.var(mood)) < 1.5
    assert shared.parts[REST] == dependence(stated(*ratios)).parts[REST]


def test_siblings_of_which_some_state_their_size_share_what_both_can() -> None:
    whole, rest = scores(stated(0.2, 0.8, 0.2, 0.8, 0.2), [(0, False), (0, True)])
    assert (whole * rest).mean() == pytest.approx(0.8, abs=0.02)
