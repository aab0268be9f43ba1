"""Whatever was recorded, a catalog is learned from it that is valid, forecasts, and can be scored."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.backtest import backtest
from aos.api.learning.calibrate import calibrate
from aos.api.learning.learned import learned_document
from aos.domain.learning.records import Records
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Block, Catalog
from aos.errors import AosError
from aos.wire.catalogs.read import parse_catalog
from aos.wire.records.read import Declared, read_csv

_HEADER = "run,step,skill,start_ms,end_ms,cost_cents,code,attempt,after"
_STEPS = ("a", "b", "c", "d")
_amounts = st.sampled_from(["0", "1", "40", "1e9", "1e14"]) | st.floats(0, 1e6).map(repr)
_afters = st.lists(st.sampled_from(_STEPS), max_size=2).map(" ".join)


@st.composite
def recorded(draw: st.DrawFn) -> Records:
    """Up to a dozen runs of one or two shapes: steps after each other, beside each other, in circles, after nobody
    known. Some fail, some stop early, and now and then nobody recorded an end or a cost."""
    skills = draw(st.lists(st.sampled_from(["fetch", "work", "work"]), min_size=4, max_size=4))
    after = draw(
        st.sampled_from([("", "a", "b", "c"), ("", "a", "a", "a"), ("", "a", "a", "b c")])
        | st.tuples(*[_afters] * 4)
    )
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    rows = [_HEADER]
    for run in range(draw(st.integers(1, 12))):
        for i, step in enumerate(_STEPS[: draw(st.sampled_from(widths))]):
            start = run * 1000 + i * 100 + draw(st.integers(0, 90))
            end = repr(start + float(draw(_amounts))) if draw(st.integers(0, 30)) else ""
            cost = draw(_amounts) if draw(st.integers(0, 30)) else ""
            code = "" if draw(st.integers(0, 5)) else "BROKEN"
            rows.append(f"r{run},{step},{skills[i]},{start},{end},{cost},{code},1,{after[i]}")
    return read_csv(rows, Declared(), name="made up").records


@given(recorded())
@settings(max_examples=60, deadline=None)
def test_any_runs_give_a_catalog_that_can_be_written_and_forecasts(records: Records) -> None:
    learned = calibrate(records, base=Catalog({}))
    catalog = parse_catalog(learned_document(learned), name="learned", base=Catalog({}))
    for block in catalog.blocks:
        assert abs(sum(drawn.weight for drawn in block.draws) - 1) < 1e-3
        if block.cost_cents is not None:
            drawn = outcomes(_plan(block), catalog, samples=400)
            assert (drawn.time >= 0).all()
            assert (drawn.cost >= 0).all()
            assert drawn.success.mean() < 1


@given(recorded())
@settings(max_examples=30, deadline=None)
def test_any_runs_can_be_scored_or_are_said_to_be_too_few(records: Records) -> None:
    with suppress(AosError):
        result = backtest(records, base=Catalog({}), shapes=True, samples=400)
        assert all(0 <= part.success.brier.value <= 1 for part in result.pooled)


def _plan(block: Block) -> Plan:
    return Plan(
        tuple(
            Step(f"s{i}", skill, {}, tuple(f"s{j}" for j in before))
            for i, (skill, before) in enumerate(zip(block.skills, block.after, strict=True))
        )
    )
