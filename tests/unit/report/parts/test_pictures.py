from hypothesis import given
from hypothesis import strategies as st

from aos.report.parts.pictures import LIMIT, bar, histogram

COUNTS = [0, 1, 500, 1_000, 250]
EDGES = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_histogram_shows_what_is_rare_and_what_is_nowhere() -> None:
    assert histogram(EDGES, COUNTS, None, 40) == " ▁▄█▂"


def test_a_cell_is_filled_to_the_next_eighth() -> None:
    assert histogram([0.0, 1.0, 2.0, 3.0], [8_000, 1_000, 1_001], None, 40) == "█▁▂"


def test_the_limit_stands_where_it_lies() -> None:
    assert histogram(EDGES, COUNTS, 2.5, 40) == " ▁│▄█▂"
    assert histogram(EDGES, COUNTS, 0.0, 40) == "│ ▁▄█▂"
    assert histogram(EDGES, COUNTS, -9.0, 40) == "│ ▁▄█▂"
    assert histogram(EDGES, COUNTS, 5.0, 40) == " ▁▄█▂│"
    assert histogram(EDGES, COUNTS, 8.0, 40) == " ▁▄█▂   │"


def test_a_limit_too_far_away_is_left_out() -> None:
    assert histogram(EDGES, COUNTS, 1e9, 40) == " ▁▄█▂"


def test_no_picture_of_what_never_varies_or_does_not_fit() -> None:
    assert histogram([3.0], [10_000], None, 40) == ""
    assert histogram(EDGES, COUNTS, None, 5) == ""


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=32).filter(any),
    st.none() | st.floats(-100, 1e6),
    st.integers(1, 90),
)
def test_every_cell_is_as_high_as_it_is_full(counts: list[int], limit: float | None, width: int) -> None:
    drawn = histogram([float(i) for i in range(len(counts) + 1)], counts, limit, width)
    cells = drawn.replace(LIMIT, "")[: len(counts)]

    assert len(drawn) <= width + 1
    assert cells == "" or len(cells) == len(counts)
    for a, b in zip(counts, cells, strict=False):
        assert (b == " ") == (a == 0)
        assert all(b <= d for c, d in zip(counts, cells, strict=False) if a <= c and a)


@given(
    st.lists(st.floats(0.001, 1e6), min_size=1, max_size=20),
    st.integers(10, 80),
)
def test_bars_of_steps_in_a_row_follow_each_other(lengths: list[float], width: int) -> None:
    """None is outside the axis, none is empty, and each begins no later than the one before it ended."""
    whole, start, end = sum(lengths), 0.0, 0
    for length in lengths:
        drawn = bar(start, length, whole, width)
        first = len(drawn) - len(drawn.lstrip())

        assert drawn.strip()
        assert set(drawn.strip()) == {"━"}
        assert len(drawn) <= width
        assert first <= max(end, 0)
        start, end = start + length, len(drawn)
    assert end == width


def test_a_run_of_no_length_is_one_cell() -> None:
    assert bar(0.0, 0.0, 0.0, 30) == "━"
