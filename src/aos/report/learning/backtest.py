"""How forecasts did on what came after, as one page of HTML with the pictures that say how far to trust them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import aos
from aos.domain.forecasts.forecast import Estimate
from aos.domain.learning.backtest import Backtest, Pooled, Quantity, Scored
from aos.report.figures import chance, count, duration, number
from aos.report.learning.diagrams import pit, reliability
from aos.report.learning.scores import conditioned, noise, succeeded, times
from aos.report.parts.markup import Html, join, tag
from aos.report.parts.sheet import document, section, table

_ROWS = 200
"""Cases of a kind that are shown; the rest is counted."""
_DATES_MS = (946_684_800_000.0, 4_102_444_800_000.0)
"""Times between the years 2000 and 2100 are dates; others count from no date that matters."""
_KIND = "numbers scores"
_SHARES = ("in 50 %", "90 %", "95 %", "over p95", "p99")
_HOW = (
    "Shares of the outcomes that lie inside the central intervals of their forecasts, and above the quantiles.",
    "CRPS is the mean distance of a forecast from what happened: over that of forecasting the past's mean, and over "
    "that of forecasting the past as it was. Below 1 is better than these. The past are earlier attempts of the skill, "
    "or runs of the same shape, whatever their sizes.",
    "± is one standard error; what happens in one run hangs together, so it is taken over runs.",
)


def page(name: str, result: Backtest) -> str:
    """The page: thresholds first, then skills and plans together, case by case, and how to read it."""
    return document(f"Backtest: {name}", *_sections(name, result))


def _sections(name: str, result: Backtest) -> Iterator[Html]:
    yield _headline(name, result)
    yield section("Thresholds", _gates(result))
    for part in result.pooled:
        yield section(f"All {part.kind}s", _scores(part), *_pictures(part), _pinball(part))
    for kind in ("skill", "plan"):
        yield section(f"{kind.capitalize()} by {kind}", *_cases(kind, result.cases))
    yield section("Not scored", _left_out(result))
    told = [f"{sentence[0].upper()}{sentence[1:]}." for sentence in conditioned(result.cases)]
    yield section(
        "How to read it", *(tag("p", line) for line in (*_HOW, *told)), tag("p", f"aos {aos.__version__}")
    )


def _headline(name: str, result: Backtest) -> Html:
    missed = sum(not gate.kept for gate in result.gates)
    if not result.gates:
        kind, mark = "scored", ""
    elif missed:
        kind, mark = "missed", f"✗ {missed} OF {len(result.gates)} THRESHOLDS MISSED"
    else:
        kind, mark = "kept", "✓ THRESHOLDS KEPT"
    low, high = _DATES_MS
    dated = low <= result.split_ms <= high
    moment = (
        f", from {datetime.fromtimestamp(result.split_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC on" if dated else ""
    )
    forecast = f"{count(result.future_runs, 'run')} forecast"
    return tag(
        "header",
        tag("p", name, class_="faint"),
        tag("h1", tag("strong", mark), f" {forecast}") if mark else tag("h1", forecast),
        tag("p", f"Learned from the {count(result.past_runs, 'run')} before{moment}."),
        class_=kind,
    )


def _gates(result: Backtest) -> Html:
    rows = [
        (
            gate.name,
            tag("span", "kept", class_="good") if gate.kept else tag("span", "missed", class_="bad"),
            f"{gate.value:.3f} ± {gate.se:.3f}",
            f"{'at least' if 'coverage' in gate.name else 'at most'} {gate.threshold:g}",
        )
        for gate in result.gates
    ]
    head = ("threshold", "", "measured", "asked for")
    return table("What the forecasts are held to.", head, rows, _KIND) if rows else join()


# -- all together ------------------------------------------------------------------------------------------


def _quantities(part: Pooled | Scored) -> list[tuple[str, Quantity]]:
    return [(what, found) for what, found in (("time", part.time), ("cost", part.cost)) if found]


def _scores(part: Pooled) -> Html:
    rows = [(what, f"{found.n:,}", *_row(found)) for what, found in _quantities(part)]
    head = ("", "n", *_SHARES, "CRPS / mean", "CRPS / past")
    caption = f"{count(part.cases, part.kind)}, losses in units of each one's naive CRPS."
    return table(caption, head, rows, _KIND) if rows else join()


def _row(quantity: Quantity) -> tuple[str, ...]:
    shares = (quantity.in50, quantity.in90, quantity.in95, quantity.over95, quantity.over99)
    ratios = (_ratio(quantity.ratio) or times(quantity), _ratio(quantity.ratio_empirical) or times(quantity))
    return (*(_beside(chance(share.value), noise(share)) for share in shares), *ratios)


def _ratio(ratio: Estimate | None) -> str:
    return _loss(ratio) if ratio else ""


def _loss(loss: Estimate) -> Html:
    return _beside(f"{loss.value:.3f}", f"{loss.se:.3f}")


def _beside(figure: str, error: str) -> Html:
    """A figure, its noise below."""
    return join(figure, tag("small", f" ± {error}"))


def _pictures(part: Pooled) -> Iterator[Html]:
    figures = [
        _figure(
            f"{what.capitalize()}: where outcomes stand in their forecasts",
            pit(found.pit, f"pit-{part.kind}-{what}", f"{what} of {part.kind}s"),
            "Where forecasts are right, columns end at the dashed line, 9 in 10 of them between the dotted ones. "
            "A valley: too sure. A hill: not sure enough. A slope: too low or too high.",
        )
        for what, found in _quantities(part)
    ]
    figures.append(
        _figure(
            "Success: said and happened",
            reliability(part.success.said, f"reliability-{part.kind}", f"{part.kind}s"),
            f"On the dashed line where chances are right; bars hold 90 %. {succeeded(part.success)}.",
        )
    )
    yield tag("div", *figures, class_="pair")


def _figure(title: str, picture: Html, caption: str) -> Html:
    return tag("figure", tag("h3", title), picture, tag("figcaption", caption))


def _pinball(part: Pooled) -> Html:
    rows = [
        (
            f"{what}, p{one.level * 100:g}",
            "",
            _loss(one.forecast),
            f"{one.naive:.3f}",
            f"{one.empirical:.3f}",
        )
        for what, found in _quantities(part)
        for one in found.pinball
    ]
    head = ("pinball loss", "", "forecast", "past's mean", "past's quantile")
    return table("Mean loss of single quantiles, lower is better.", head, rows, _KIND) if rows else join()


# -- case by case ------------------------------------------------------------------------------------------


def _cases(kind: str, cases: Sequence[Scored]) -> Iterator[Html]:
    """A table for time, one for cost, one for success; a row a case."""
    found = [case for case in cases if case.kind == kind]
    for what in ("time", "cost"):
        rows = [
            (
                case.name,
                f"{case.past:,}",
                f"{quantity.n:,}",
                *_row(quantity),
                _unit(what, quantity.crps.value),
            )
            for case in found[:_ROWS]
            if (quantity := case.time if what == "time" else case.cost)
        ]
        head = (kind, "past", "n", *_SHARES, "CRPS / mean", "CRPS / past", "CRPS")
        if rows:
            yield table(f"{what.capitalize()}.", head, rows, _KIND)
    if found:
        yield _chances(kind, found[:_ROWS])
    if len(found) > _ROWS:
        yield tag("p", f"and {count(len(found) - _ROWS, kind)} more; --json has all", class_="faint")


def _chances(kind: str, cases: Sequence[Scored]) -> Html:
    rows = [
        (
            case.name,
            f"{case.past:,}",
            f"{case.success.n:,}",
            _loss(case.success.brier),
            f"{case.success.brier_naive:.3f}",
            _loss(case.success.log_loss),
            f"{case.success.log_loss_naive:.3f}",
        )
        for case in cases
    ]
    head = (kind, "past", "n", "Brier", "of past share", "log loss", "of past share")
    return table("Success.", head, rows, _KIND)


def _unit(what: str, crps: float) -> str:
    return duration(crps) if what == "time" else f"{number(crps)}c"


def _left_out(result: Backtest) -> Html:
    rows = [(left.what, f"{left.n:,}", left.why) for left in result.left_out[:_ROWS]]
    return (
        table("Attempts and runs without a forecast.", ("what", "n", "why"), rows, "sources")
        if rows
        else join()
    )
