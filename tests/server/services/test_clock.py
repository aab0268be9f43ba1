"""How far two clocks are apart, as far as one question can tell."""

from datetime import UTC, datetime, timedelta

import pytest

from aos_server.services.clock import ahead

BEFORE = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("there_s", "found"), [(-7.0, 7.0), (-0.5, 0.5), (0.0, 0.0), (1.5, 0.0), (2.0, 0.0), (9.0, -7.0)]
)
def test_what_lies_within_the_question_is_no_difference(there_s: float, found: float) -> None:
    answer_s = 2.0
    there, after = (BEFORE + timedelta(seconds=s) for s in (there_s, answer_s))
    assert ahead(BEFORE, there, after) == pytest.approx(found)
