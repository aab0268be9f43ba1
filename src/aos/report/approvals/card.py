"""The card: all that somebody has to know before they approve, each thing in a place where nothing else can stand."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from aos.domain.approvals.envelopes import Departure, Envelope, Held, Reach
from aos.domain.plans.references import strings
from aos.domain.skills.skill import Effects
from aos.report.approvals.foreign import LINES, block, tame
from aos.report.figures import UNKNOWN, chance, count, duration, money
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page, Part, left_out

__all__ = ["COLOURS", "Foreign", "Request", "ago", "card", "flags", "irreversible", "sections"]

_STEPS, _RISKS, _CHANGES, _TARGETS, _USES = 20, 5, 8, 5, 5
_VALUES, _VALUE_LINES = 12, 3

COLOURS: Mapping[str, str] = {
    "approved": GOOD,
    "consumed": GOOD,
    "rejected": BAD,
    "cancelled": FAINT,
    "expired": BAD,
    "pending": OPEN,
    "escalated": OPEN,
}


class Request(NamedTuple):
    """A request as the server tells it, with its envelope read, and what changed since the last approved one.

    `envelope` is None where no plan is asked for that could be simulated, `changes` where nothing was approved before.
    """

    document: Mapping[str, Any]
    envelope: Envelope | None
    changes: Sequence[Departure] | None
    now: datetime


class Foreign(Protocol):
    """Writes what the requester wrote, so that nobody takes it for a line of the card; so many `lines` at most."""

    def __call__(self, text: str, lines: int = LINES) -> Iterator[Line]:
        """Its lines."""


def irreversible(approved: Envelope | None) -> tuple[Reach, ...]:
    """The steps that can't be undone."""
    found = approved.reach if approved else ()
    return tuple(one for one in found if not one.effects.read_only and not one.effects.reversible)


def card(request: Request, width: int, colour: bool, ascii: bool = False) -> str:
    """The card of one request. What the requester wrote stands behind a gutter, and nothing else does."""
    told, page = request.document, Page(width=width, colour=colour, ascii=ascii, labels=8)
    status = str(told["status"])
    page.add(
        [
            (status.upper(), f"bold {COLOURS.get(status, '')}"),
            (f"  request {tame(str(told['request_id']))}", STRONG),
            (f"  {_end(told, request.now)}", FAINT),
        ]
    )

    def behind_a_gutter(text: str, lines: int = LINES) -> Iterator[Line]:
        return block(text, page.inner, lines)

    for label, lines in sections(request, behind_a_gutter):
        page.section(label, lines)
    page.add()
    page.add((tame(str(told["digest"])), FAINT))  # in one line, to be copied
    if told.get("inbox_url"):
        page.add((tame(str(told["inbox_url"])), FAINT))
    return str(page)


def sections(request: Request, write: Foreign) -> Iterator[tuple[str, Iterable[Line]]]:
    """What the card says below its headline, part by part. What the requester wrote goes through `write`."""
    told, approved = request.document, request.envelope
    yield "who", _who(told)
    yield "why", write(str(told.get("justification") or ""))
    yield "what", _what(write, request)
    yield "inputs", _values(write, (told.get("plan") or {}).get("inputs") or {})
    yield "cost", _cost(told, approved)
    yield "time", _time(told, approved)
    yield "risks", _risks(told, approved)
    yield "effects", _effects(approved)
    yield "policy", _policy(told)
    yield "changes", _changes(write, request.changes)
    yield "votes", _votes(write, told)
    yield "until", _until(request)


def ago(then: str, now: datetime) -> str:
    """`3 min 20 s ago`, `in 2 h`, `just now`: people's clocks, so to the second."""
    apart = round((now - datetime.fromisoformat(then)).total_seconds()) * 1000
    if apart == 0:
        return "just now"
    return f"{duration(apart)} ago" if apart > 0 else f"in {duration(-apart)}"


def _who(told: Mapping[str, Any]) -> Iterator[Line]:
    """Who asks, as the digest has it; of a service key whose it is."""
    asks, owner = told["requester"], told["requester"]["owner"]
    agent = f" for agent {tame(str(told['agent_id']))}" if told.get("agent_id") else ""
    yield [
        (tame(str((owner or asks)["subject"])), STRONG),
        f"{agent}, tenant {tame(str(told['tenant_id']))}",
    ]
    if owner:
        yield f"by the service key {tame(str(asks['subject']))}"


# -- what is asked for -------------------------------------------------------------------------------------


def _what(write: Foreign, request: Request) -> Iterator[Line]:
    plan = request.document.get("plan")
    if not isinstance(plan, dict):
        yield (UNKNOWN, OPEN)
        return
    steps = plan["steps"]
    yield f"a plan of {count(len(steps), 'step')}"
    if plan.get("name"):
        yield from write(f"name: {plan['name']}", 1)
    reach = {one.step: one for one in request.envelope.reach} if request.envelope else {}
    for place, step in enumerate(steps[:_STEPS], 1):
        name = str(step.get("id", f"s{place}"))  # what nobody could read has none
        yield from _step(write, name, step, reach.get(name))
    if len(steps) > _STEPS:
        yield (f"… and {count(len(steps) - _STEPS, 'step')} more; --json has them", OPEN)


def _step(write: Foreign, name: str, step: Mapping[str, Any], reach: Reach | None) -> Iterator[Line]:
    """What a step does; to what, where inputs or items say so; then its parameters as the requester wrote them."""
    marks = f"  {', '.join(flags(reach.effects))}" if reach else ""
    yield [(tame(name), STRONG), f" {tame(str(step['skill']))}", (marks, _shade(reach))]
    said = {text for _, text in strings(step.get("params", {}))}
    resolved = [target for target in reach.targets if target not in said] if reach else []
    for target in resolved[:_TARGETS]:
        yield from write(f"→ {target}", 2)
    if len(resolved) > _TARGETS:
        yield from write(f"→ {len(resolved) - _TARGETS:,} more", 1)
    for secret in reach.secrets if reach else ():
        yield from write(f"with the secret {secret}", 1)
    yield from _values(write, step.get("params", {}))
    yield from _values(write, {key: step[key] for key in step if key not in ("id", "skill", "params")})


def _values(write: Foreign, values: Mapping[str, Any]) -> Iterator[Line]:
    """Each by its name, in as many lines as tell what it is."""
    for name, value in list(values.items())[:_VALUES]:
        text = value if isinstance(value, str) else _json(value)
        yield from write(f"{name}: {text}".replace("\n", "\\n"), _VALUE_LINES)
    if len(values) > _VALUES:
        yield from write(f"{len(values) - _VALUES:,} more; --json has them", 1)


def flags(effects: Effects) -> list[str]:
    """What of a step's effects can be undone, in words."""
    if effects.read_only:
        return ["only reads"]
    return [
        "can be undone" if effects.reversible else "can't be undone",
        *(["destroys"] if effects.destructive else []),
    ]


def _shade(reach: Reach | None) -> str:
    return BAD if reach and not reach.effects.read_only and not reach.effects.reversible else FAINT


# -- what will happen --------------------------------------------------------------------------------------


def _cost(told: Mapping[str, Any], approved: Envelope | None) -> Iterator[Line]:
    yield from _figure(told, "cost_cents", money, approved and approved.cost)
    budget = (told["forecast"] or {}).get("budget_cents")
    if budget is not None:
        yield f"budget {money(float(budget))}"
    if told["uses"] > 1:
        yield (f"each time: it may be used {told['uses']:,} times", OPEN)


def _time(told: Mapping[str, Any], approved: Envelope | None) -> Iterator[Line]:
    yield from _figure(told, "duration_ms", duration, approved and approved.time)
    deadline = (told.get("plan") or {}).get("deadline_ms")
    if deadline is not None:
        yield f"deadline {duration(float(deadline), stated=True)}"


def _figure(told: Mapping[str, Any], name: str, write: Any, held: Held | None) -> Iterator[Line]:
    forecast = (told.get("forecast") or {}).get("forecast") or {}
    spread = forecast.get(name)
    least = forecast.get(name.replace("_cents", "_at_least_cents").replace("_ms", "_at_least_ms"))
    if spread is None:
        bound = f"; at least {write(float(least['p95']['value']))} in 5 of 100 runs" if least else ""
        yield [(UNKNOWN, OPEN), bound]
    else:
        yield "   ".join(f"{q} {write(float(spread[q]['value']))}" for q in ("p50", "p90", "p95"))
    if held and not held.known and spread is not None:
        yield ("a step that rarely runs has a figure that nobody knows", OPEN)


def _risks(told: Mapping[str, Any], approved: Envelope | None) -> Iterator[Line]:
    forecast = told.get("forecast") or {}
    if approved is not None:
        success: list[Part] = [chance(approved.success.value), " of runs succeed"]
        yield success if approved.success.known else [(f"{UNKNOWN}, at least ", OPEN), *success]
    else:
        yield (f"{UNKNOWN}: nothing was simulated", OPEN)
    risks = forecast.get("risks") or ()
    for risk in risks[:_RISKS]:
        where = f"{tame(str(risk['code']))} in {tame(str(risk['step']))}"
        yield [f"{where}: {chance(risk['chance_met'])} meet it, {chance(risk['chance_failed'])} fail by it"]
    yield from left_out(len(risks) - _RISKS)


def _effects(approved: Envelope | None) -> Iterator[Line]:
    if approved is None:
        yield (UNKNOWN, OPEN)
        return
    stay = irreversible(approved)
    if stay:
        names = ", ".join(tame(one.step) for one in stay[:_STEPS])
        yield [(f"{count(len(stay), 'step')} can't be undone: ", f"bold {BAD}"), names]
    elif all(one.effects.read_only for one in approved.reach):
        yield ("nothing is changed: every step only reads", GOOD)
    else:
        yield "everything that is changed can be undone"
    targets = sorted({target for one in approved.reach for target in one.targets})
    yield f"{count(len(targets), 'target')} in all"


def _policy(told: Mapping[str, Any]) -> Iterator[Line]:
    """The level, and the rules that ask for it: both are the server's words."""
    said, digest = told["policy"], str(told["digests"]["policy"])
    asked, level = said.get("approval_level_required"), told["required_level"]
    asks = f"asks for level {asked}" if asked else "asks for no approval"
    if not told["forecast"]:
        asks = "can't judge what nobody can foresee"
    yield [(asks, STRONG), (f"  policy {_short(digest)}", FAINT)]
    if level > (asked or 1):
        yield (f"takes level {level}: asked for, escalated, or nobody can foresee it", STRONG)
    for one in ((told["forecast"] or {}).get("approvals") or ())[:_STEPS]:
        yield f"{tame(str(one['step'] or 'the plan'))}: the plan asks for level {one['level']}"
    asked = [ruling for ruling in said.get("rulings", ()) if ruling["decision"] != "allow"]
    for one in asked[:_STEPS]:
        rules = ", ".join(tame(str(rule["id"])) for rule in one["rules"]) or "no rule permits it"
        reasons = "; ".join(tame(str(rule["reason"])) for rule in one["rules"] if rule.get("reason"))
        yield [f"{tame(str(one['step'] or 'the plan'))}: {rules}", (f": {reasons}" if reasons else "", FAINT)]
    yield from left_out(len(asked) - _STEPS)


def _changes(write: Foreign, changes: Sequence[Departure] | None) -> Iterator[Line]:
    if changes is None:
        yield ("nothing of this name was approved before", FAINT)
        return
    if not changes:
        yield ("the same plan was approved before", GOOD)
    for one in changes[:_CHANGES]:
        yield from write(f"{one.pointer}: {_json(one.was)} → {_json(one.now)}", 2)
    yield from left_out(len(changes) - _CHANGES, OPEN)


# -- how it stands -----------------------------------------------------------------------------------------


def _votes(write: Foreign, told: Mapping[str, Any]) -> Iterator[Line]:
    needed = count(told["min_approvals"], "approval")
    yield f"{told['approvals']} of {needed} of level {told['required_level']} or above"
    for one in told["decisions"]:
        glass = ", alone: the glass was broken" if one["break_glass"] else ""
        yield f"{tame(str(one['approver_id']))}: {one['decision']} at level {one['level']}{glass}"
        if one.get("reason"):
            yield from write(str(one["reason"]), 2)
    seen = told.get("reviewed")
    if seen and not seen["outcome"]:
        yield ("nobody has reviewed that yet", OPEN)
    elif seen:
        yield f"{tame(str(seen['reviewed_by']))}: reviewed it, {str(seen['outcome']).replace('_', ' ')}"
        yield from write(str(seen["reason"]), 2)


def _until(request: Request) -> Iterator[Line]:
    told, now = request.document, request.now
    yield f"asked {ago(told['created_at'], now)}, {_end(told, now)}"
    if told.get("escalates_at"):
        yield f"asks level {told['required_level'] + 1} {ago(told['escalates_at'], now)}"
    if told.get("grant_expires_at"):
        ends = ago(told["grant_expires_at"], now)
        used = f"{told['used']} of {count(told['uses'], 'use')} made"
        yield f"the approval {'ended' if ends.endswith('ago') else 'ends'} {ends}; {used}"
    uses = told.get("consumptions") or ()
    for one in uses[-_USES:]:
        run = f" by run {tame(str(one['run_id']))}" if one["run_id"] else ""
        yield f"used {ago(one['at'], now)}{run}, {tame(str(one['consumed_by']))}"


def _end(told: Mapping[str, Any], now: datetime) -> str:
    """Until when it waits; or what became of it, and when."""
    if told.get("decided_at"):
        became = "approved" if told.get("grant_expires_at") else str(told["status"])
        return f"{became} {ago(told['decided_at'], now)}"
    ends = ago(told["expires_at"], now)
    return f"{'expired' if ends.endswith('ago') else 'expires'} {ends}"


def _short(digest: str) -> str:
    return tame(digest.removeprefix("sha256:")[:8])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
