"""A simulation as Markdown, for the summary of a CI job: GitHub's and GitLab's kind.

Words from a plan stand as they are only if they are plain words or numbers. Any other is set as code: there no
renderer looks for markup, links, mentions, references or formulas.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.forecast import StepForecast
from aos.domain.forecasts.results import SimulationResult
from aos.report.figures import between, cents, chance, duration, few, seen
from aos.report.forecast import words
from aos.report.forecast.drivers import begin_with
from aos.report.forecast.words import Place, Quantity, Why
from aos.report.learning.sources import sources
from aos.wire.problems import visible

_LONGEST = 2_000
"""Characters of one text that are shown."""
_RISKS, _PLACES = 5, 5
_MARKS = {"feasible": "✓", "infeasible": "✗", "undetermined": "?"}

_AROUND = re.compile(r"([(\"']*)(.*?)([)\"'.,:;!?…]*)")
"""A word and the punctuation around it."""
_WORD = re.compile(
    r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d{4}-\d\d-\d\d|[-+]?\d+(?:[.,]\d+)*(?:[a-z]{1,3})?|[%±×→<>&✓✗]"
)
_REFERENCE = re.compile(r"[0-9a-f]{7,40}")
"""What hosts take for a commit."""
_MARKER = re.compile(r"[-+]|\d{1,9}[.)]")
"""What begins a list at the start of a line."""
_ENTITIES = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;"})
_DOLLARS = re.compile(r" \(\$([\d.,]+)\)")
_PRICE = " (<span>&#36;</span>{})"
"""An amount in dollars: two of them would be taken for the ends of a formula. The <span> is GitHub's own advice."""


def simulation(result: SimulationResult) -> str:
    """The verdict, cost and time against their limits, chances, reasons, changes that help, risks, every step."""
    decision = result.verdict.decision
    parts = [
        f"## {_MARKS[decision]} {decision.upper()}: {_amounts(words.typically(result))}",
        _named(result),
        _quantities(result),
        *_remarks(result),
        _table(("chance that", "share of runs", "asked for"), _chances(result)),
        *_section("Why", map(_reason, words.why(result.verdict.reasons))),
        *_section("What would help" if decision != "feasible" else "What it could gain", _changes(result)),
        *_risks(result),
        *_steps(result),
        _basis(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def prose(text: str) -> str:
    """Foreign text in a sentence or a cell of a table, its words a space apart; never a markup of its own."""
    first, *rest = visible(text, _LONGEST).split() or [""]
    return " ".join([code(first) if _MARKER.fullmatch(first) else _word(first), *map(_word, rest)])


def code(text: str) -> str:
    """Foreign text as code. A pipe is written `\\x7c`: it could end a cell, and no escape of it holds everywhere."""
    shown = visible(text, _LONGEST).replace("|", r"\x7c")
    if not shown:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    padded = not shown.isspace() and (shown[0] in "` " or shown[-1] in "` ")
    return f"{fence} {shown} {fence}" if padded else f"{fence}{shown}{fence}"


def _word(word: str) -> str:
    """As it is where it is plain, else as code."""
    match = _AROUND.fullmatch(word)
    before, core, after = match.groups() if match else ("", word, "")
    plain = not core or (_WORD.fullmatch(core) and not _REFERENCE.fullmatch(core))
    return before + (core.translate(_ENTITIES) if plain else code(core)) + after


def _own(text: str) -> str:
    """Words of our own, in which backquotes mark code already."""
    return "".join(code(part) if i % 2 else part for i, part in enumerate(text.split("`")))


def _amounts(text: str) -> str:
    """Figures of our own, some with dollars."""
    return _DOLLARS.sub(lambda match: _PRICE.format(match[1]), text.translate(_ENTITIES))


# -- sections ----------------------------------------------------------------------------------------------


def _named(result: SimulationResult) -> str:
    name = f" · {prose(result.plan.name)}" if result.plan.name else ""
    return f"**{_amounts(words.succeeds(result))}**{name}"


def _quantities(result: SimulationResult) -> str:
    head = ("", "p50", "p90", "p95", "p99", "limit", "kept in")
    return _table(head, map(_quantity, words.quantities(result)), "lrrrrrr")


def _quantity(quantity: Quantity) -> list[str]:
    """A row; `≥` where only a part is known."""
    figures = (
        ["unknown"] * 4
        if quantity.nothing_known
        else [("" if quantity.spread else "≥ ") + quantity.write(value) for _, value in quantity.quantiles()]
    )
    limit = "none" if quantity.limit is None else quantity.limit_words.split(" ", 1)[1]
    kept = "" if quantity.limit is None else between(quantity.kept)
    return [f"**{quantity.noun}**", *map(_amounts, (*figures, limit, kept))]


def _remarks(result: SimulationResult) -> list[str]:
    missing = [line for quantity in words.quantities(result) for line in map(_place, quantity.missing)]
    lines = [*missing, *map(prose, words.asides(result))]
    return ["\n".join(f"- {line}" for line in lines)] if lines else []


def _chances(result: SimulationResult) -> Iterator[list[str]]:
    for row in words.kept(result):
        yield [_amounts(row.what), _amounts(row.chance), row.asked]


def _reason(why: Why) -> str:
    lines = [f"**{_amounts(why.title)}** {code(why.code)}", *map(_place, why.places[:_PLACES])]
    if len(why.places) > _PLACES:
        lines.append(f"… and {len(why.places) - _PLACES:,} more")
    return "<br>".join([*lines, f"→ {_own(why.fix)}"])


def _place(place: Place) -> str:
    at = few([*map(code, place.pointers)], _PLACES)
    return prose(place.sentence) + (f" (at {at})" if at else "")


def _changes(result: SimulationResult) -> Iterator[str]:
    if words.none_found(result):
        yield words.NONE_FOUND
    for number, offer in enumerate(result.alternatives, 1):
        yield _change(number, offer, result)


def _change(number: int, offer: Alternative, result: SimulationResult) -> str:
    promise = f"{offer.outlook.verdict.decision}, {between(offer.outlook.feasible)}"
    apply = "" if not offer.in_plan else f" ({code(f'--apply {number}')})"
    change = code(words.flags(offer)) or prose(offer.summary) or code(offer.kind)
    lines = [f"**{change}**: {_amounts(promise)}{apply}"]
    return "<br>".join([*lines, *map(prose, words.remarks(offer, result))])


def _risks(result: SimulationResult) -> list[str]:
    risks = result.forecast.risks
    shown = words.worst(risks, _RISKS)
    if not shown:
        return []
    skills = {step.id: step.skill for step in result.forecast.steps}
    rows = [
        [code(r.step), code(skills[r.step]), code(r.code), *map(_amounts, (seen(r.meets), seen(r.fails)))]
        for r in shown
    ]
    rarer = [f"… and {len(risks) - len(shown):,} rarer"] if len(risks) > len(shown) else []
    first = begin_with(result.attribution.first) if result.attribution else ""
    table = _table(("step", "skill", "failure", "met in", "ends step in"), rows, "lllrr")
    return ["### Risks", *([prose(first)] if first else []), table, *rarer]


def _steps(result: SimulationResult) -> list[str]:
    head = ("step", "skill", "runs", "succeeds", "time p50", "time p95", "cost p50", "cost p95")
    steps = result.forecast.steps
    summary = f"<summary>{len(steps):,} step{'s' * (len(steps) != 1)}</summary>"
    return ["<details>", summary, _table(head, map(_step, steps), "llrrrrrr"), "</details>"]


def _step(step: StepForecast) -> list[str]:
    times, costs = words.p50_p95(step.time, duration), words.p50_p95(step.cost, cents)
    shares = chance(step.runs), chance(step.succeeds)
    return [code(step.id), code(step.skill), *map(_amounts, (*shares, *times, *costs))]


def _basis(result: SimulationResult) -> str:
    facts = [words.basis(result), sources(result.skills.values())]
    digests = [f"{name} {code(getattr(result.digests, name))}" for name in ("plan", "catalog")]
    lines = [", ".join([*map(prose, facts), *digests])]
    if result.prices:
        named = ", ".join(f"{code(name)} of {prose(p.as_of)}" for name, p in result.prices.items())
        lines.append(f"prices: {named}")
    if needs := words.needed(result.plan):
        lines.append(f"needs {prose(needs)}")
    return "<br>".join([*lines, *(f"note: {prose(note)}" for note in result.notes)])


# -- shapes ------------------------------------------------------------------------------------------------


def _section(title: str, items: Iterable[str]) -> list[str]:
    """A heading and a list; nothing without items."""
    listed = "\n".join(f"{i}. {item}" for i, item in enumerate(items, 1))
    return [f"### {title}", listed] if listed else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], columns: str = "") -> str:
    """Columns by a letter each: `l`eft, `r`ight. Cells hold no pipe and no line end: see `code`."""
    rules = ["--:" if kind == "r" else "---" for kind in columns.ljust(len(head), "l")]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))
