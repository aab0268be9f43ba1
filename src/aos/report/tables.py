"""Lists: skills, what a catalog leaves open, codes, exit statuses, answers to queries."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.cells import cell_len

from aos.domain.skills.distributions import median
from aos.domain.skills.failures import FAILURES, Effect, FailureKind
from aos.domain.skills.skill import CallCost, Catalog, CostModel, Effects, Skill, chance_to_fail
from aos.errors import CODES, Exit
from aos.errors.codes import EXIT_MEANINGS
from aos.report.figures import UNKNOWN, cents, chance, count, duration, money, more, number, p90
from aos.report.learning.sources import missing, sources
from aos.report.parts.page import FAINT, OPEN, STRONG, Line, Page

_LEAVES: Mapping[Effect, str] = {
    "none": "it took no effect",
    "committed": "it took effect",
    "unknown": "it may have taken effect",
}
_LISTED = 12
"""Items of a list inside an answer that are shown."""


def skills(skills: Iterable[Skill], width: int, colour: bool, ascii: bool = False) -> str:
    """A row for each skill: typical cost and latency of an attempt, how often it fails, how often it may start."""
    page = Page(width=width, colour=colour, ascii=ascii)
    listed = list(skills)
    head: list[Line] = [
        (word, FAINT) for word in ("skill", "cost", "typical", "p90", "fails", "/min", "effect")
    ]
    page.add(page.table("nlrrrrl", [head, *map(_row, listed)]))
    page.add()
    page.add((f"{count(len(listed), 'skill')}; {sources(listed)}", FAINT))
    return str(page)


def catalog(name: str, catalog: Catalog, width: int, colour: bool, ascii: bool = False) -> str:
    """What a catalog that is well-formed leaves open: the figures of each skill that nobody knows."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(name, STRONG), f": {count(len(catalog.skills), 'skill')}, nothing wrong"])
    page.add((sources(catalog.skills.values()), FAINT))
    rows = [(skill.id, missing(skill)) for skill in catalog.skills.values()]
    open_rows: list[list[Line]] = [
        [name, (f"{UNKNOWN}: {', '.join(open)}", OPEN)] for name, open in rows if open
    ]
    if open_rows:
        page.add()
        page.add(page.table("nw", open_rows))
    return str(page)


def explain(code: str, width: int, colour: bool, ascii: bool = False) -> str:
    """One row of the catalogue of codes, or of that of failures: what it means, what to do, what scripts see."""
    if code not in CODES:
        return _explained(code, FAILURES[code], Page(width=width, colour=colour, ascii=ascii))
    row = CODES[code]
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(row.title, STRONG), (f"  {code}", FAINT)])
    page.add(row.meaning)
    page.add(page.table("lw", [[("→", STRONG), row.fix]]))
    page.add()
    again = "a retry can help" if row.retryable else "a retry alone does not help"
    page.add(
        (
            f"exit status {row.exit.value} ({EXIT_MEANINGS[row.exit]}); HTTP status {row.status}; {again}",
            FAINT,
        )
    )
    page.add((f"urn:aos:problem:{row.area}.{code}", FAINT))
    return str(page)


def _explained(code: str, row: FailureKind, page: Page) -> str:
    page.add([("An attempt failed", STRONG), (f"  {code}", FAINT)])
    page.add(row.meaning)
    page.add(page.table("lw", [[("→", STRONG), row.advice]]))
    page.add()
    again = "a retry can help" if row.category == "TRANSIENT" else "a retry alone does not help"
    page.add((f"{row.category}: {again}; unless the skill knows better {_LEAVES[row.effect]}", FAINT))
    return str(page)


def codes(width: int, colour: bool, ascii: bool = False) -> str:
    """Every code with its title, by area; last those with which attempts fail."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    for area in dict.fromkeys(row.area for row in CODES.values()):
        rows: list[list[Line]] = [
            [code, (row.title, FAINT)] for code, row in CODES.items() if row.area == area
        ]
        page.section(area, [page.table("lw", rows)])
    failed: list[list[Line]] = [[code, (kind.meaning, FAINT)] for code, kind in FAILURES.items()]
    page.section("attempt", [page.table("lw", failed)])
    return str(page).removeprefix("\n")


def exit_codes(width: int, colour: bool, ascii: bool = False) -> str:
    """The table of exit statuses."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add(page.table("rw", [[str(status.value), EXIT_MEANINGS[status]] for status in Exit]))
    return str(page)


def answer(
    query_type: str,
    result: Mapping[str, Any],
    unknowns: Mapping[str, str],
    width: int,
    colour: bool,
    ascii: bool = False,
) -> str:
    """The answer to a query: a row for each key of `result`, JSON values in words, and why a null is unknown."""
    page = Page(width=width, colour=colour, ascii=ascii)
    lists = {key: value for key, value in result.items() if _is_table(value)}
    rows: list[list[Line]] = [
        [(_named(key), FAINT), _value(key, value, unknowns.get(key))]
        for key, value in result.items()
        if key not in lists and (value is not None or key in unknowns)
    ]
    # What is the same in every row of a list is said once, which leaves room for what tells the rows apart.
    alike = {name: _alike(name, objects, unknowns) for name, objects in lists.items()}
    for name, keys in alike.items():
        rows += [[(f"{_named(key)} of each", FAINT), _words(key, lists[name][0][key])] for key in keys]
    page.add((_named(query_type), STRONG))
    if rows:
        page.add(page.table("lw", rows))
    for name, objects in lists.items():
        page.add()
        shown = [key for key in objects[0] if key not in alike[name]]
        cells = [
            [_words(key, item.get(key), f"{name}/{i}/{key}" in unknowns) for key in shown]
            for i, item in enumerate(objects)
        ]
        _objects(page, shown, cells)
    return str(page)


def _objects(page: Page, keys: list[str], cells: list[list[str]]) -> None:
    """A row for each object. The run that it is of would leave no room for the rest: it stands above its rows."""
    heads = [""] * len(cells)
    if len(keys) > 1 and "run" in keys:
        at = keys.index("run")
        heads = [row[at] for row in cells]
        keys, cells = keys[:at] + keys[at + 1 :], [row[:at] + row[at + 1 :] for row in cells]
    columns = "n" + "w" * (len(keys) - 1)
    widths = [max(map(cell_len, column)) for column in zip(map(_named, keys), *cells, strict=True)]
    if sum(widths) + 2 * len(widths) > page.width:
        widths = []
    above: list[list[Line]] = [[(_named(key), FAINT) for key in keys]]
    for head, rows in groupby(zip(heads, cells, strict=True), itemgetter(0)):
        if head:
            page.add(page.table(columns, above, widths))
            page.add((head, FAINT))
            above = []
        page.add(page.table(columns, [*above, *(row for _, row in rows)], widths))


def _alike(name: str, objects: list[Mapping[str, Any]], unknowns: Mapping[str, str]) -> list[str]:
    """Keys, behind the first, with one known value in all of several objects."""
    if len(objects) < 2:
        return []
    return [
        key
        for key, value in list(objects[0].items())[1:]
        if value is not None
        and all(item.get(key) == value for item in objects)
        and not any(f"{name}/{i}/{key}" in unknowns for i in range(len(objects)))
    ]


def _row(skill: Skill) -> list[Line]:
    latency = skill.latency and skill.latency.value
    typical, high = (None, None) if latency is None else (median(latency), p90(latency))
    return [
        skill.id if skill.enabled else f"{skill.id} (disabled)",
        _cost(skill.cost),
        duration(typical),
        duration(high),
        _fails(skill),
        f"{skill.rate_limit.per_minute:,.6g}" if skill.rate_limit else "none",
        _effect(skill.effects),
    ]


def _cost(model: CostModel | None) -> str:
    if model is None:
        return UNKNOWN
    if isinstance(model, CallCost):
        each = cents(median(model.per_attempt.value))
        return f"{each} + {cents(model.per_ms.value * 1000)}/s" if model.per_ms else each
    return f"{cents(median(model.unnamed.value))}, by model" if model.unnamed else "by model"


def _fails(skill: Skill) -> str:
    """How often an attempt fails."""
    share = chance_to_fail(skill)
    return UNKNOWN if share is None else chance(share)


def _effect(effects: Effects) -> str:
    if effects.read_only:
        return "reads"
    return "destructive" if effects.destructive else "writes"


# -- JSON values in words --------------------------------------------------------------------------------


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _named(key: str) -> str:
    return key.removesuffix("_cents").removesuffix("_ms").replace("_", " ")


def _value(key: str, value: Any, why: str | None) -> Line:
    return _words(key, value) if value is not None else [(UNKNOWN, OPEN), f": {why}" if why else ""]


def _quantity(key: str, value: float) -> str:
    if key.endswith("_rate"):
        return chance(value)
    unit = money if key.endswith("_cents") else duration if key.endswith("_ms") else number
    return unit(value)


def _words(key: str, value: Any, unknown: bool = False) -> str:
    match value:
        case None:
            return UNKNOWN if unknown else ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _quantity(key, value)
        case list() | tuple():
            words = [_words("", item) for item in value[:_LISTED]]
            between = " " if all(word.endswith(".") for word in words) else ", "
            return between.join(words) + more(len(value) - _LISTED) or "none"
        case Mapping():
            return ", ".join(f"{_named(name)} {_words(name, inner)}" for name, inner in value.items())
        case _:
            return str(value)
