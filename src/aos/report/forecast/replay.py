"""A replay of rules, for people: what would be answered otherwise and why, what that asks of whom, and what is unknown.

It is told from its document, which a server may have written.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aos.report.figures import cents, count, duration, few, number
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page, Part, left_out

_COLOURS = {
    "newly_denied": BAD,
    "newly_allowed": BAD,
    "newly_asked": OPEN,
    "level_raised": OPEN,
    "level_lowered": OPEN,
    "no_longer_denied": OPEN,
}
_NAMED, _GROUPS = 3, 5
_FACTS = {"cost_p95_cents": "the cost", "duration_p95_ms": "the time", "success_bp": "the chance of success"}
_HINTS = {
    "loosen": "people hardly ever said no: it may be more than is needed",
    "deny": "people hardly ever said yes: the rules could deny it",
}
_BASES = {
    "rules": "with the facts that rules saw then",
    "forecast": "with the forecast of then",
    "simulated": "simulated now",
}


def replayed(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """The changes, most serious first; then people, rules, near misses, and what could not be told."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    page.add(_headline(document))
    for one in document["transitions"]:
        page.section(f"{one['records']:,}", _transition(one))
    page.section("people", _people(document["approvals"]))
    page.section("asked", _decisions(document.get("decided_by_people") or ()))
    page.section("rules", _rules(document))
    page.section("near", _near(document["near"]))
    page.section("unknown", _unknown(document))
    page.section("basis", _basis(document))
    return str(page)


def _headline(document: Mapping[str, Any]) -> Line:
    changed, determined = document["changed"], document["determined"]
    if not document["total"]:
        return ("nothing is on record to ask rules about", OPEN)
    if not changed:
        style = f"bold {GOOD}" if determined else OPEN
        return [("nothing changes", style), f" for the {_records(determined)} that can be told"]
    return [(f"{changed:,} of {_records(determined)}", STRONG), " would be answered otherwise"]


def _records(n: int) -> str:
    return count(n, "record")


# -- changes -----------------------------------------------------------------------------------------------------------


def _transition(one: Mapping[str, Any]) -> Iterator[Line]:
    """From what to what, the rules behind it, and the money."""
    kind = str(one["change"])
    name = (kind.upper().replace("_", " "), f"bold {_COLOURS.get(kind, OPEN)}")
    yield [name, f"  {_answer(one['before'])} → {_answer(one['after'])}"]
    several = len(one["groups"]) > 1
    for group in one["groups"][:_GROUPS]:
        lead = f"{group['records']:,}: " if several else ""
        yield [(lead, STRONG), f"{_by(group['before'])} → {_by(group['after'])}"]
        yield (_examples(group["examples"], group["records"]), FAINT)
    yield from left_out(len(one["groups"]) - _GROUPS + one["groups_left_off"])
    yield _money(one)


def _answer(said: Mapping[str, Any]) -> str:
    return f"level {said['level']}" if said["level"] else str(said["decision"])


def _by(side: Mapping[str, Any]) -> str:
    rules = few([str(rule) for rule in side["rules"]], _NAMED)
    match side["ground"]:
        case "not_permitted":
            return "no rule permits it"
        case "error":
            return f"a rule could not be evaluated{f' ({rules})' if rules else ''}"
    return rules


def _examples(examples: Sequence[Mapping[str, Any]], records: int) -> str:
    shown = examples[:_NAMED]
    names = [f"{one['id']} ({one['step']})" if one["step"] else str(one["id"]) for one in shown]
    return ", ".join(names) + (f" and {records - len(shown):,} more" if records > len(shown) else "")


def _money(one: Mapping[str, Any]) -> Line:
    forecast, spent = one["forecast_cents"], one["spent_cents"]
    parts = [f"forecast {_sum(forecast)}"]
    if spent["known"] + spent["unknown"]:
        parts.append(f"spent {_sum(spent)}")
    return (", ".join(parts), FAINT)


def _sum(total: Mapping[str, Any]) -> str:
    if not total["unknown"]:
        return cents(total["cents"])
    return f"{cents(total['cents'])} ({total['unknown']:,} of unknown cost)" if total["known"] else "unknown"


# -- people ------------------------------------------------------------------------------------------------------------


def _people(levels: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    for one in levels:
        if not one["before"] and not one["after"]:
            continue
        weekly = ""
        if one["per_week_before"] is not None:
            weekly = f", a week {number(one['per_week_before'])} → {number(one['per_week_after'])}"
        wait = one["wait_p50_ms"]
        waits = "" if wait is None else f"; half of them are decided within {duration(wait)}"
        yield [
            (f"level {one['level']}", STRONG),
            f"  {one['before']:,} → {count(one['after'], 'approval')}{weekly}{waits}",
        ]


def _decisions(groups: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """How people decided on requests, by what the candidate says of them."""
    for one in groups[:_GROUPS]:
        yes, n = one["approved"], one["approved"] + one["rejected"]
        said = f"people approved {yes:,} of {n:,}" if n else "nobody has decided"
        yield [(_answer(one), STRONG), f"  {said}"]
        yield (few([str(rule) for rule in one["rules"]], _NAMED) or "no rule permits it", FAINT)
        if one["hint"]:
            yield (_HINTS.get(one["hint"], str(one["hint"])), OPEN)
    yield from left_out(len(groups) - _GROUPS)


# -- rules, near misses ------------------------------------------------------------------------------------------------


def _rules(document: Mapping[str, Any]) -> Iterator[Line]:
    if not document["determined"]:
        return
    uses = [(one, one["allow"] + one["requires_approval"] + one["deny"]) for one in document["rules"]]
    never = [str(one["rule"]["id"]) for one, _ in uses if one["matched"] is False]
    over = [str(one["rule"]["id"]) for one, n in uses if one["matched"] and not n]
    same = [
        f"{one['rule']['id']} ({next(what for what in ('allow', 'requires_approval', 'deny') if one[what])})"
        for one, n in uses
        if n > 1 and n == document["determined"] == max(one["allow"], one["requires_approval"], one["deny"])
    ]
    told = {
        "never matched": never,
        "matched, but others decided": over,
        "decided each time, always alike": same,
    }
    for what, names in told.items():
        if names:
            yield [(f"{what}: ", FAINT), few(names, 6)]


def _near(facts: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    for one in facts:
        stricter, looser = one["stricter"], one["looser"]
        worse, better = ("lower", "higher") if one["fact"] == "success_bp" else ("higher", "lower")
        name = _FACTS.get(one["fact"], str(one["fact"]))
        for found, way, what in ((stricter, worse, "stricter"), (looser, better, "looser")):
            if found["records"]:
                yield f"{_records(found['records'])}: a {what} answer if {name} were a tenth {way}"
                yield (f"{few([str(one) for one in found['examples']], _NAMED)}", FAINT)


# -- what is not known -------------------------------------------------------------------------------------------------


def _unknown(document: Mapping[str, Any]) -> Iterator[Line]:
    for one in document["unknown_because"][:_GROUPS]:
        yield [(f"{_records(one['records'])}: ", OPEN), str(one["detail"])]
        yield (few([str(example["id"]) for example in one["examples"]], _NAMED), FAINT)
    yield from left_out(len(document["unknown_because"]) - _GROUPS)
    if document["passed_over"]:
        yield (f"{count(document['passed_over'], 'file')} passed over: no plans", FAINT)
    if document["left_off"]:
        yield (f"{_records(document['left_off'])} not looked at, for want of time", OPEN)


def _basis(document: Mapping[str, Any]) -> Iterator[Line]:
    for one in document["sources"]:
        if one["basis"]:
            yield f"{count(one['records'], str(one['source']))} {_BASES.get(one['basis'], '')}"
    for one in document.get("coverage") or ():
        if one["more"]:
            yield f"of {one['source']}s the latest {one['read']:,} alone: there are more"
    window = document["window"]
    if window["first_ms"] is not None:
        yield [("from ", FAINT), _moment(window["first_ms"]), (" to ", FAINT), _moment(window["last_ms"])]
    for side in ("current", "candidate"):
        told = document[side]
        parts: list[Part] = [
            (f"{side} ", FAINT),
            str(told["name"]),
            (f"  {_short(told['policy_digest'])}", FAINT),
        ]
        yield parts


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _short(digest: object) -> str:
    return str(digest).removeprefix("sha256:")[:8]
