"""A simulation as one page of HTML: its style and pictures are in it, it runs no script and fetches nothing."""

from collections.abc import Callable, Iterator, Sequence

import aos
from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.attribution import Attribution, StepShare
from aos.domain.forecasts.forecast import StepForecast
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Decision
from aos.domain.plans.plan import order
from aos.report.figures import UNKNOWN, between, cents, chance, duration, money, more, seen
from aos.report.forecast import words
from aos.report.forecast.drivers import begin_with, time_goes_to
from aos.report.forecast.words import Place, Quantity, Why
from aos.report.learning.sources import sources
from aos.report.parts.markup import Html, join, tag
from aos.report.parts.sheet import cards, document, section, table
from aos.report.parts.svg import bar, histogram

_RISKS, _SHARES, _PLACES = 8, 5, 5
_LEAST = 0.01
"""A share below this has no bar."""
_MARKS: dict[Decision, str] = {"feasible": "✓", "infeasible": "✗", "undetermined": "?"}
_SHARED: Sequence[tuple[str, Callable[[StepShare], float | None]]] = (
    ("Failed runs, by the step that failed first", lambda share: share.failure),
    ("Runs over budget", lambda share: share.over_budget),
    ("Late runs", lambda share: share.late),
    ("Spread of time", lambda share: share.time),
    ("Spread of cost", lambda share: share.cost),
)


def simulation(result: SimulationResult) -> str:
    """The page: the verdict first, then why, what would help, cost, time, risks, steps, and what all of it rests on."""
    title = f"{result.verdict.decision}: {result.plan.name or 'a plan'}"
    return document(title, *_sections(result))


def _sections(result: SimulationResult) -> Iterator[Html]:
    yield _headline(result)
    yield section("Why", cards(map(_reason, words.why(result.verdict.reasons))))
    gains = result.verdict.decision == "feasible"
    yield section("What it could gain" if gains else "What would help", _changes(result))
    yield section("Cost and time", _quantities(result))
    yield section("What drives the risk", _drivers(result.attribution), _risks(result))
    yield section("What more records would tell", _evidence(result))
    yield section("The typical run", _gantt(result))
    yield section("Steps", _steps(result.forecast.steps))
    yield section("Where the figures are from", _provenance(result), _prices(result))
    yield section("What it rests on", _basis(result))


# -- the verdict -------------------------------------------------------------------------------------------


def _headline(result: SimulationResult) -> Html:
    decision = result.verdict.decision
    verdict = tag("strong", f"{_MARKS[decision]} {decision.upper()}")
    told = words.succeeds(result)
    header = tag(
        "header",
        tag("p", result.plan.name or "A plan", class_="faint"),
        tag("h1", verdict, f" {words.typically(result)}"),
        tag("p", told[0].upper() + told[1:]),
        class_=decision,
    )
    chances = (
        tag("div", tag("dt", row.what), tag("dd", row.chance, tag("small", f"{row.asked} asked for")))
        for row in words.kept(result)
    )
    return join(header, tag("dl", *chances, class_="chances"))


def _reason(why: Why) -> Html:
    mark = tag("span", "✗ " if why.no else "? ", class_="bad" if why.no else "open")
    return join(
        tag("h3", mark, why.title, " ", tag("code", why.code, class_="faint")),
        *map(_place, why.places[:_PLACES]),
        tag("p", "…", more(len(why.places) - _PLACES), class_="faint") if len(why.places) > _PLACES else "",
        tag("p", "→ ", _own(why.fix)),
    )


def _place(place: Place) -> Html:
    at = join(*(join(" ", tag("code", pointer)) for pointer in place.pointers[:_PLACES]))
    return tag("p", place.sentence, at, more(len(place.pointers) - _PLACES))


def _own(text: str) -> Html:
    """Words of our own, in which backquotes mark code."""
    return join(*(tag("code", part) if i % 2 else part for i, part in enumerate(text.split("`"))))


def _changes(result: SimulationResult) -> Html:
    if words.none_found(result):
        return tag("p", words.NONE_FOUND)
    return cards(_change(n, offer, result) for n, offer in enumerate(result.alternatives, 1))


def _change(number: int, offer: Alternative, result: SimulationResult) -> Html:
    decision, share = offer.outlook.verdict.decision, between(offer.outlook.feasible)
    flags = words.flags(offer)
    remarks = (tag("p", remark, class_="faint") for remark in words.remarks(offer, result))
    how = join("apply it: ", tag("code", f"aos simulate PLAN --apply {number}"))
    return join(
        tag("h3", f"{number}. ", tag("code", flags) if flags else offer.summary),
        tag("p", tag("span", decision, class_="good" if decision == "feasible" else "open"), f", {share}"),
        *remarks,
        "" if not offer.in_plan else tag("p", how, class_="faint"),
    )


# -- cost and time, risks ----------------------------------------------------------------------------------


def _quantities(result: SimulationResult) -> Html:
    drawn = tag("div", *map(_quantity, words.quantities(result)), class_="pair")
    return join(drawn, *(tag("p", line[0].upper() + line[1:]) for line in words.asides(result)))


def _quantity(quantity: Quantity) -> Html:
    told = quantity.in_words()
    limit = f"; {quantity.limit_words}" if told and quantity.limit is not None else ""
    least = "" if quantity.spread or quantity.nothing_known else "At least; a figure is unknown."
    captions = [told + limit if told else "32 cells up to p95; at most 5 % of runs lie beyond.", least]
    return tag(
        "figure",
        tag("h3", quantity.noun.capitalize()),
        "" if told else histogram(quantity),
        tag("figcaption", " ".join(filter(None, captions))),
        *map(_place, quantity.missing),
    )


def _drivers(attribution: Attribution | None) -> Html:
    if attribution is None:
        return join()
    first, spent = begin_with(attribution.first), time_goes_to(attribution)
    drawn = [part for title, share in _SHARED if (part := _shares(title, attribution.steps, share))]
    return join(
        tag("p", tag("strong", first[0].upper() + first[1:])) if first else "",
        tag("p", f"Where the time goes: {spent}.") if spent else "",
        tag("div", *drawn, class_="pair shares") if drawn else "",
    )


def _shares(title: str, steps: Sequence[StepShare], of: Callable[[StepShare], float | None]) -> Html:
    """The steps with the largest shares; "" where there is nothing to share."""
    found = sorted(((of(step) or 0.0, step.id) for step in steps), key=lambda pair: -pair[0])[:_SHARES]
    rows = [
        tag("li", tag("span", name), bar(0, share, 1), tag("span", f"{share * 100:.0f} %", class_="figure"))
        for share, name in found
        if share >= _LEAST
    ]
    return tag("div", tag("h3", title), tag("ol", *rows, class_="rows")) if rows else join()


def _risks(result: SimulationResult) -> Html:
    risks = result.forecast.risks
    shown = words.worst(risks, _RISKS)
    if not shown:
        return join()
    skills = {step.id: step.skill for step in result.forecast.steps}
    rows = [(r.step, skills[r.step], r.code, seen(r.meets), seen(r.fails)) for r in shown]
    rarer = len(risks) - len(shown)
    caption = "The failures that matter most" + (f"; {rarer:,} rarer ones are left out" if rarer else "")
    head = ("step", "skill", "failure", "met in", "ends step in")
    return table(caption, head, rows, "numbers risks")


def _evidence(result: SimulationResult) -> Html:
    return cards(tag("p", wanted.detail) for wanted in result.evidence)


# -- steps -------------------------------------------------------------------------------------------------


def _gantt(result: SimulationResult) -> Html:
    """A bar for each step, those of the critical path in a stronger colour, and how often a step is on it."""
    steps = result.forecast.steps
    whole = max((_end(step) for step in steps), default=0.0)
    if not whole:
        return join()
    path = _critical_path(result)
    shares = result.attribution.steps if result.attribution else ()
    critical = {share.id: share.critical for share in shares}
    end = ("at least " if result.forecast.typical_ms is None else "") + duration(whole)
    legend = "; beside each step in how many runs it is on it" if critical else ""
    told = f"From 0 to {end}. The stronger bars are the critical path{legend}."
    rows = (_stretch(step, whole, step.id in path, critical.get(step.id)) for step in steps)
    return join(tag("p", told, class_="faint"), tag("ol", *rows, class_="rows"))


def _stretch(step: StepForecast, whole: float, on_path: bool, critical: float | None) -> Html:
    if step.typical_start_ms is None:
        kind, told = "sometimes", f"in {seen(step.runs)} of runs"
    else:
        kind = "unknown" if step.typical_ms is None else "critical" if on_path else ""
        told = duration(step.typical_ms)
    return tag(
        "li",
        tag("span", step.id, " ", tag("small", step.skill)),
        bar(step.typical_start_ms or 0.0, step.typical_ms or 0.0, whole, kind),
        tag("span", told, class_="figure"),
        "" if critical is None else tag("small", f"critical in {seen(critical)}", class_="figure"),
    )


def _critical_path(result: SimulationResult) -> set[str]:
    """Of the typical run: back from the step that ends last, each time to the one it waited for longest."""
    steps, after = result.forecast.steps, order(result.plan.steps).after
    run = {i for i, step in enumerate(steps) if step.typical_start_ms is not None}
    path = set[str]()
    waits: set[int] = run
    while waits:
        last = max(sorted(waits), key=lambda i: _end(steps[i]))
        path.add(steps[last].id)
        waits = run & {*after[last]}
    return path


def _end(step: StepForecast) -> float:
    return (step.typical_start_ms or 0.0) + (step.typical_ms or 0.0)


def _steps(steps: Sequence[StepForecast]) -> Html:
    head = (
        *("step", "skill", "runs", "succeeds", "attempts"),
        *("time p50", "time p95", "cost p50", "cost p95"),
    )
    rows = (
        (
            *(step.id, step.skill, chance(step.runs), chance(step.succeeds), f"{step.attempts:.2f}"),
            *words.p50_p95(step.time, duration),
            *words.p50_p95(step.cost, cents),
        )
        for step in steps
    )
    return table("Time and cost are over the runs in which the step runs.", head, rows)


# -- what it rests on --------------------------------------------------------------------------------------


def _provenance(result: SimulationResult) -> Html:
    """Figures of one origin share a row."""
    rows: list[tuple[str, str, str]] = []
    for skill in result.skills.values():
        told = dict[str, list[str]]()
        for name, provenance in words.origins(skill):
            told.setdefault(UNKNOWN if provenance is None else words.source(provenance), []).append(name)
        rows += [(skill.id, ", ".join(names), origin) for origin, names in told.items()]
    caption = f"{sources(result.skills.values()).capitalize()}."
    return table(caption, ("skill", "figures", "source, records, date, method"), rows, "sources")


def _prices(result: SimulationResult) -> Html:
    rows = [
        (
            name,
            f"{money(price.input_cents_per_mtok)} in, {money(price.output_cents_per_mtok)} out",
            f"{price.as_of} ({price.source})",
        )
        for name, price in result.prices.items()
    ]
    head = ("model", "price of a million tokens", "as of")
    return table("Prices of models.", head, rows, "sources") if rows else join()


def _basis(result: SimulationResult) -> Html:
    terms = {**result.digests._asdict(), "aos": aos.__version__}
    rows = (join(tag("dt", key.replace("_", " ")), tag("dd", tag("code", terms[key]))) for key in terms)
    same = "Run this with the plan and the catalog of these digests, and the same figures come out:"
    return join(
        tag("p", f"{words.basis(result).capitalize()}."),
        tag("p", f"It needs {needs}.") if (needs := words.needed(result.plan)) else "",
        *(tag("p", f"Note: {note}") for note in result.notes),
        tag("dl", *rows, class_="digests"),
        tag("p", same),
        tag("pre", tag("code", *(join(tag("span", part), " ") for part in words.command(result)))),
    )
