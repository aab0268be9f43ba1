"""Answers are kept by what they are about, and by nothing that merely looks like it."""

from aos.domain.kept import kept
from aos.domain.skills.distributions import Lognormal, Uniform
from aos.engine.sampling.distributions import quantile_table


def test_an_answer_about_the_same_object_is_given_once() -> None:
    asked: list[object] = []

    @kept(8)
    def size(value: dict[str, int], times: int) -> int:
        asked.append(value)
        return len(value) * times

    one, alike = {"a": 1}, {"a": 1}
    assert [size(one, 2), size(one, 2), size(one, 3), size(alike, 2)] == [2, 2, 3, 2]
    assert len(asked) == 3


def test_the_oldest_answer_makes_room() -> None:
    asked: list[object] = []

    @kept(1)
    def size(value: list[int]) -> int:
        asked.append(value)
        return len(value)

    one, other = [1], [2]
    assert [size(one), size(other), size(one)] == [1, 1, 1]
    assert len(asked) == 3


def test_distributions_of_equal_figures_are_not_taken_for_each_other() -> None:
    """Both are tuples, and as tuples they are equal."""
    even, skewed = quantile_table(Uniform(1.0, 2.0)), quantile_table(Lognormal(1.0, 2.0))
    assert even.max() <= 2
    assert skewed.max() > 100
