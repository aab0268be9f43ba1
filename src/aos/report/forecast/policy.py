"""What rules say, for people: the answer, the rules behind it, and what would change it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aos.domain.approvals.policies import PolicyDecision, PolicyVerdict, Rule, StepRuling
from aos.policy.plans import hint, sentence
from aos.report.figures import UNKNOWN, cents, chance, count, duration
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page, Part, left_out

_COLOURS: Mapping[PolicyDecision, str] = {"allow": GOOD, "requires_approval": OPEN, "deny": BAD}
_SHOWN = 12
"""Steps that are named one by one."""


def rules(rules: Sequence[Rule], digest: str, width: int, colour: bool, ascii: bool = False) -> str:
    """Rules that are well-formed: what each does and where it stands."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(count(len(rules), "rule"), STRONG), ", nothing wrong"])
    page.add()
    rows: list[list[Line]] = [
        [
            (rule.effect, GOOD if rule.effect == "permit" else BAD),
            rule.id,
            (f"{rule.file}:{rule.line}", FAINT),
        ]
        for rule in rules
    ]
    page.add(page.table("lwp", rows))
    page.add()
    page.add((digest, FAINT))
    return str(page)


def verdict(said: PolicyVerdict, width: int, colour: bool, ascii: bool = False) -> str:
    """The decision on a plan, then why; each step that is not simply allowed by itself."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    level = "" if said.level is None else f"  of level {said.level}"
    page.add([(said.decision.upper().replace("_", " "), f"bold {_COLOURS[said.decision]}"), level])
    page.section("why", rulings(said))
    page.section("facts", [_facts(said.rulings[0].question.facts._asdict())])
    page.section("basis", [(f"policy {said.digest.removeprefix('sha256:')[:8]}", FAINT)])
    return str(page)


def rulings(said: PolicyVerdict) -> Iterator[Line]:
    """A paragraph for the plan and for each step that is not allowed as it is."""
    asked = [one for one in said.rulings if one.ruling.decision != "allow"]
    for one in asked[:_SHOWN]:
        yield from _ruling(one)
    yield from left_out(len(asked) - _SHOWN)
    if not asked:
        yield [("allowed", GOOD), f", and each of {count(len(said.rulings) - 1, 'step')}"]


def _ruling(one: StepRuling) -> Iterator[Line]:
    ruling = one.ruling
    answer = "denied" if ruling.decision == "deny" else f"needs an approval of level {ruling.level}"
    name = f"{one.step} ({one.question.resource})" if one.step else "the plan"
    yield [(name, STRONG), " ", (answer, _COLOURS[ruling.decision])]
    yield (sentence(ruling, ()), FAINT)
    for would in one.missing[:1]:
        yield [("→ ", STRONG), hint(would)]


def _facts(facts: Mapping[str, Any]) -> list[Part]:
    cost, time, success = (facts[name] for name in ("cost_p95_cents", "duration_p95_ms", "success_bp"))
    flags = [name for name in ("read_only", "destructive", "open_world") if facts[name]]
    known = [
        f"p95 cost {UNKNOWN if cost is None else cents(cost)}",
        f"p95 time {UNKNOWN if time is None else duration(time)}",
        f"success {UNKNOWN if success is None else chance(success / 10_000)}",
        *flags,
    ]
    return [", ".join(known)]
