from aos.domain.skills.skill import FailureMode, Figure, Provenance
from aos.report.learning.sources import missing, sources
from tests.unit.report import build


def measured(n: int | None, as_of: str | None) -> FailureMode:
    return FailureMode("TIMEOUT", "TRANSIENT", Figure(0.01, Provenance("measured", "runs", n, as_of)))


def test_figures_are_counted_by_where_they_are_from() -> None:
    """Wherever they stand in a descriptor: here latency, price and one probability each."""
    skills = [build.skill("a", measured(57, "2025-11-02")), build.skill("b", measured(None, None))]

    assert sources(skills) == "figures: 2 declared, 4 measured (n 57 to 312, oldest 2025-11-02)"


def test_one_sample_size_is_no_range() -> None:
    assert sources([build.skill("a")]) == "figures: 1 declared, 1 measured (n 312, oldest 2026-03-01)"


def test_unknown_figures_are_counted_apart() -> None:
    bare = build.skill("a")._replace(latency=None, cost=None, failures=None)
    open_mode = build.skill("b", FailureMode("TIMEOUT", "TRANSIENT", None))

    assert missing(bare) == ["cost", "latency", "failures"]
    assert missing(open_mode) == ["failures.TIMEOUT"]
    assert sources([bare]) == "figures: 0 declared, 3 unknown"
