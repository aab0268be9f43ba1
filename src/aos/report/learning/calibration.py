"""What was learned from records, and how forecasts did on the runs that came later."""

from collections.abc import Callable, Sequence

from aos.domain.learning.backtest import Backtest, LeftOut, Pooled, Quantity, Scored, Success
from aos.domain.learning.records import ReadRecords
from aos.domain.skills.skill import Catalog, Growth, PowerGrowth, Skill
from aos.report.figures import UNKNOWN, cents, chance, count, duration, few, number
from aos.report.learning.scores import conditioned, noise, share, succeeded, times
from aos.report.parts.page import BAD, BAR, FAINT, GOOD, STRONG, Line, Page
from aos.wire.catalogs.learned import Compared

_ROWS = 40
"""Rows of a table that are shown; the rest is counted."""
_LISTED = 5
_STEADY = "steady"
_DIAGRAM = 30
_CELL, _HEIGHT = 5, 3
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def calibration(
    name: str,
    read: ReadRecords,
    compared: Sequence[Compared],
    catalog: Catalog,
    width: int,
    colour: bool,
    ascii: bool = False,
) -> str:
    """A row for each skill: how many attempts, how old, and its figures as measured, below what was said before.

    Then what its runs as a whole have taught the `catalog`.
    """
    page = Page(width=width, colour=colour, ascii=ascii)
    used, runs = len(read.records.start_ms), len(set(read.records.run.codes))
    page.add([(name, STRONG), f": {count(used, 'attempt')} of {count(runs, 'run')}"])
    page.add()
    head: list[Line] = [
        (word, FAINT) for word in ("skill", "n", "days", "to", "median", "p90", "cost", "fails")
    ]
    rows: list[list[Line]] = [head]
    for one in compared[:_ROWS]:
        rows += _learned(one)
    page.add(page.table("nrrlrrrr", rows))
    _more(page, len(compared) - _ROWS, "skill")
    _growing(page, read, compared, catalog)
    _whole_runs(page, compared, catalog)
    drifting: list[list[Line]] = [
        [one.row.id, one.row.drift] for one in compared[:_ROWS] if one.row.drift != _STEADY
    ]
    if drifting:
        page.add()
        page.add(("drift", STRONG))
        page.add(page.table("nw", drifting))
    return str(page)


def backtest(name: str, result: Backtest, width: int, colour: bool, ascii: bool = False) -> str:
    """Scores of all skills and all plans together, pictures of how far to trust the chances, then case by case."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(name, STRONG), f": {result.past_runs:,} runs learned from, {result.future_runs:,} forecast"])
    page.add()
    page.add(page.table("lrrrrrrr", _pooled(result.pooled)))
    page.add(("shares of outcomes inside the central intervals and above the quantiles;", FAINT))
    page.add(("CRPS over that of forecasting the mean of all earlier attempts of the skill, or", FAINT))
    page.add(("runs of the shape, lower is better; ± one standard error", FAINT))
    for sentence in conditioned(result.cases):
        page.add((sentence, FAINT))
    for part in result.pooled:
        _pictures(page, part)
    for kind in ("skill", "plan"):
        cases = [case for case in result.cases if case.kind == kind]
        if cases:
            page.add()
            page.add(page.table("nrrrrrr", _cases(kind, cases)))
            _more(page, len(cases) - _ROWS, kind)
    _left_out(page, result.left_out)
    if result.gates:
        page.add()
        page.add(page.table("lwr", _gates(result)))
    return str(page)


# -- what was learned ------------------------------------------------------------------------------------------


def _learned(one: Compared) -> list[list[Line]]:
    row, now, before = one.row, one.measured, one.declared
    measured: list[Line] = [
        row.id,
        f"{row.n:,}",
        UNKNOWN if row.window_days is None else number(row.window_days),
        row.as_of or "no date",
        duration(now.p50_ms),
        duration(now.p90_ms),
        cents(now.p50_cents),
        UNKNOWN if now.fails is None else chance(now.fails),
    ]
    if before is None:
        return [measured]
    fails = UNKNOWN if before.fails is None else chance(before.fails)
    figures = (duration(before.p50_ms), duration(before.p90_ms), cents(before.p50_cents), fails)
    declared: list[Line] = [("  before", FAINT), "", "", "", *((figure, FAINT) for figure in figures)]
    return [measured, declared]


def _growing(page: Page, read: ReadRecords, compared: Sequence[Compared], catalog: Catalog) -> None:
    """What grows with which features, and the features that nothing was found to grow with."""
    rows: list[list[Line]] = [
        [one.row.id, _grows(catalog.skills[one.row.id])] for one in compared[:_ROWS] if one.row.features
    ]
    if rows:
        page.add()
        page.add(("grows", STRONG))
        page.add(page.table("nw", rows))
    used = {name for one in compared for name in one.row.features}
    for name in read.records.features:
        if name not in used:
            page.add((f"{name} was not found to tell anything of a time or price", FAINT))


def _grows(skill: Skill) -> str:
    """`time with pages^1.37 x rows^0.59, cost with rows + pages`."""
    parts = []
    for what, growth in (("time", skill.latency_by), ("cost", skill.cost_by)):
        match growth:
            case Growth():
                parts.append(f"{what} with {' + '.join(f.name for f in growth.features)}")
            case PowerGrowth():
                powers = (f"{f.name}^{number(f.exponent)}" for f in growth.features)
                parts.append(f"{what} with {' x '.join(powers)}")
    return ", ".join(parts)


def _whole_runs(page: Page, compared: Sequence[Compared], catalog: Catalog) -> None:
    """Which shapes of runs are drawn whole, which chains lend, how fan-outs start, and how many run at once."""
    skills = {one.row.id: catalog.skills[one.row.id] for one in compared}
    fan_outs = [(name, skill.fan_out.width) for name, skill in skills.items() if skill.fan_out]
    # Pools that were found bear the name of their skill, others are those of the catalog.
    slots = [(name, catalog.pools[name]) for name, skill in skills.items() if skill.pool == name]
    rows: list[list[Line]] = []
    if catalog.blocks:
        runs = sum(block.provenance.n or 0 for block in catalog.blocks)
        rows.append(["drawn whole", f"{count(runs, 'run')} of {count(len(catalog.blocks), 'shape')}"])
    if catalog.donors:
        runs = sum(donors.provenance.n or 0 for donors in catalog.donors)
        rows.append(["chains", f"{count(runs, 'run')} lend to chains of any length"])
    if fan_outs:
        rows.append(["fan-outs", few([f"{name} (up to {width} wide)" for name, width in fan_outs], _LISTED)])
    if slots:
        rows.append(["at once", few([f"{many} of {name}" for name, many in slots], _LISTED)])
    if rows:
        page.add()
        page.add(("runs", STRONG))
        page.add(page.table("lw", rows))


# -- scores ----------------------------------------------------------------------------------------------------


def _pooled(parts: Sequence[Pooled]) -> list[list[Line]]:
    """Two rows for each quantity: the figures, and what chance alone would move them by."""
    words = ("", "n", "in 50 %", "90 %", "95 %", "over p95", "p99", "CRPS")
    rows: list[list[Line]] = [[(word, FAINT) for word in words]]
    for part in parts:
        for what, quantity in (("time", part.time), ("cost", part.cost)):
            if quantity is None:
                rows.append([f"{what} of {part.kind}s", ("none", FAINT), *[""] * 6])
                continue
            shares = (quantity.in50, quantity.in90, quantity.in95, quantity.over95, quantity.over99)
            rows.append(
                [
                    f"{what} of {part.kind}s",
                    f"{quantity.n:,}",
                    *(chance(s.value) for s in shares),
                    times(quantity),
                ]
            )
            spread = [f"± {noise(s)}" for s in shares]
            rows.append(["", "", *((word, FAINT) for word in spread), (_ratio_noise(quantity), FAINT)])
    return rows


def _ratio_noise(quantity: Quantity) -> str:
    return f"± {quantity.ratio.se:.3f}" if quantity.ratio else ""


def _pictures(page: Page, part: Pooled) -> None:
    """Where outcomes stand in their forecasts, and how often what was said to succeed did."""
    for what, quantity in (("time", part.time), ("cost", part.cost)):
        if quantity:
            page.add()
            page.add(
                [(f"{what} of {part.kind}s", STRONG), ": where outcomes stand in their forecasts, by tenths"]
            )
            for line in _columns(quantity.pit):
                page.add((line, BAR))
            page.add(("0         20        40        60        80       100 %   level is right", FAINT))
    page.add()
    page.add([(f"success of {part.kind}s", STRONG), f": {succeeded(part.success)}"])
    page.add(page.table("rlrrr", _reliability(part.success)))


def _columns(counts: Sequence[float]) -> list[str]:
    """A histogram of a few lines from 0 up, the fullest column as high as the picture."""
    heights = [round(n / max(counts) * _HEIGHT * 8) for n in counts]
    return [
        "".join(_EIGHTHS[min(8, max(0, height - 8 * row))] * _CELL for height in heights)
        for row in reversed(range(_HEIGHT))
    ]


def _reliability(success: Success) -> list[list[Line]]:
    """A bar as long as what happened, with a mark at what was said."""
    rows: list[list[Line]] = [[(word, FAINT) for word in ("said", "", "happened", "", "n")]]
    for said in success.said:
        mark = min(_DIAGRAM - 1, int(said.forecast * _DIAGRAM))
        bar = ("━" * round(said.happened.value * _DIAGRAM)).ljust(_DIAGRAM)
        picture: Line = [(bar[:mark], BAR), ("│", STRONG), (bar[mark + 1 :], BAR)]
        happened = chance(said.happened.value)
        spread: Line = (f"± {noise(said.happened)}", FAINT)
        rows.append([chance(said.forecast), picture, happened, spread, f"{said.n:,}"])
    return rows


def _cases(kind: str, cases: Sequence[Scored]) -> list[list[Line]]:
    words = (kind, "past", "n", "in 90 %", "time CRPS", "cost CRPS", "Brier")
    rows: list[list[Line]] = [[(word, FAINT) for word in words]]
    for case in cases[:_ROWS]:
        inside = "" if case.time is None else share(case.time.in90)
        ratios = [times(quantity) for quantity in (case.time, case.cost)]
        brier = f"{case.success.brier.value:.3f}"
        rows.append([case.name, f"{case.past:,}", f"{case.success.n:,}", inside, *ratios, brier])
    return rows


def _gates(result: Backtest) -> list[list[Line]]:
    word: Callable[[bool], Line] = lambda kept: ("kept", GOOD) if kept else ("missed", BAD)  # noqa: E731
    return [
        [
            word(gate.kept),
            f"{gate.name}: {gate.value:.3f} ± {gate.se:.3f}",
            f"{'at least' if 'coverage' in gate.name else 'at most'} {gate.threshold:g}",
        ]
        for gate in result.gates
    ]


def _left_out(page: Page, left_out: Sequence[LeftOut]) -> None:
    if left_out:
        page.add()
        page.add(("not scored", STRONG))
        rows: list[list[Line]] = [[left.what, f"{left.n:,}", left.why] for left in left_out[:_ROWS]]
        page.add(page.table("nrw", rows))
        _more(page, len(left_out) - _ROWS, "other")


def _more(page: Page, more: int, what: str) -> None:
    if more > 0:
        page.add((f"and {count(more, what)} more; --json has all", FAINT))
