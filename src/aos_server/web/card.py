"""The card of a request as a page: the sentences of the terminal's card, and what one may do about it."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import MAX_LEVEL, OPEN, Actor, Request
from aos.domain.plans.references import strings
from aos.errors import AosError
from aos.report.approvals.card import Request as Shown
from aos.report.approvals.card import flags, irreversible, sections
from aos.report.parts.page import BAD, FAINT, GOOD, STRONG, Line
from aos.report.parts.page import OPEN as UNSURE
from aos_server.identity.caller import Caller
from aos_server.identity.roles import LEVELS
from aos_server.services.requests.decide import Standing, actor_of
from aos_server.services.requests.inbox import Looked

__all__ = ["Choices", "Step", "choices", "steps", "told", "word_of"]

ALONE = 4
"""From this level on a yes takes a word that has to be typed, as in the terminal."""
WORD = 6
"""Characters of the digest that are such a word."""
MOST_STEPS = 20
"""Steps on the card; the others are on pages of their own."""

_LONGEST, _VALUES, _TARGETS = 1_000, 50, 20
_FOREIGN = "foreign"
_CLASSES = {GOOD: "good", BAD: "bad", UNSURE: "open", STRONG: "strong", FAINT: "faint", _FOREIGN: _FOREIGN}
_OWN = ("what", "inputs")  # a page has room for all of them


class Step(NamedTuple):
    """A step of the plan: what it calls, what of that can be undone, to what it does it, and what it is given."""

    name: str
    skill: str
    marks: Sequence[str]
    grave: bool
    targets: Sequence[str]
    secrets: Sequence[str]
    values: Sequence[tuple[str, str]]


class Choices(NamedTuple):
    """What somebody may do about a request, and what keeps them from it ("": nothing does).

    `levels` are those at which they may say yes, their own first. `word` is what has to be typed for that; "": nothing.
    """

    approve: str
    escalate: str
    review: str
    alone: bool
    levels: Sequence[int]
    word: str
    who: Sequence[str]
    seen: str
    key: str


def told(looked: Looked) -> Iterator[tuple[str, Sequence[Sequence[tuple[str, str]]]]]:
    """The sections of the card: each with its label and lines, a line of texts and their classes."""

    def write(text: str, lines: int = 0) -> Iterator[Line]:
        yield [(cut(text) if text else "(nothing)", _FOREIGN)]

    shown = Shown(looked.document, looked.envelope, looked.changes, looked.now)
    for label, lines in sections(shown, write):
        if label not in _OWN:
            yield label, [list(_parts(line)) for line in lines]


def _parts(line: Line) -> Iterator[tuple[str, str]]:
    for part in line if isinstance(line, list) else [line]:
        text, style = (part, "") if isinstance(part, str) else part
        yield text, " ".join(_CLASSES.get(word, word) for word in style.split())


def steps(looked: Looked, after: int, most: int) -> Sequence[Step]:
    """So many steps of the plan, after the first ones."""
    plan = looked.document.get("plan")
    listed = plan["steps"] if isinstance(plan, dict) else []
    reach = {one.step: one for one in looked.envelope.reach} if looked.envelope else {}
    found = []
    for place, step in enumerate(listed[after : after + most], after + 1):
        name = str(step.get("id", f"s{place}"))
        does, params = reach.get(name), step.get("params", {})
        said = {text for _, text in strings(params)}
        resolved = [target for target in does.targets if target not in said] if does else []
        rest = {key: value for key, value in step.items() if key not in ("id", "skill", "params")}
        found.append(
            Step(
                name,
                str(step["skill"]),
                flags(does.effects) if does else ["nobody can say what it does"],
                does is None or (not does.effects.read_only and not does.effects.reversible),
                _few(resolved, _TARGETS),
                _few(does.secrets, _TARGETS) if does else (),
                [*values(params), *values(rest)],
            )
        )
    return found


def values(given: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Each by its name, cut where it is long."""
    listed = list(given.items())
    found = [
        (cut(str(name)), cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
        for name, value in listed[:_VALUES]
    ]
    return [*found, ("…", f"{len(listed) - _VALUES:,} more")] if len(listed) > _VALUES else found


def cut(text: str) -> str:
    """The text, or its beginning and how long it is."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… {len(text):,} characters in all"


def _few(texts: Sequence[str], most: int) -> Sequence[str]:
    more = [f"… {len(texts) - most:,} more"] if len(texts) > most else []
    return [*map(cut, texts[:most]), *more]


def word_of(looked: Looked) -> str:
    """What has to be typed for a yes; "" where what is asked for can be undone and takes no high level."""
    grave = irreversible(looked.envelope) or looked.request.required_level >= ALONE or looked.envelope is None
    return looked.request.digest.removeprefix("sha256:")[:WORD] if grave else ""


def choices(looked: Looked, caller: Caller) -> Choices:
    """What the rules say before anybody is asked; they are asked again, under the lock, when somebody decides."""
    request, actor, now = looked.request, actor_of(caller), looked.now
    required = request.required_level
    return Choices(
        _refusal(lambda: approvals.approve(request, actor, now)),
        _refusal(lambda: approvals.escalate(request, now, actor)),
        _refusal(lambda: approvals.review(request, actor, "justified")),
        request.min_approvals > 1 and caller.live and caller.level >= approvals.BREAK_GLASS_LEVEL,
        range(_held(actor), required - 1, -1),
        word_of(looked),
        [role for role, level in LEVELS.items() if level >= required],
        str(Standing.of(request)),
        secrets.token_urlsafe(18),
    )


def _held(actor: Actor) -> int:
    return actor.level if actor.live else min(actor.level, approvals.MAX_CLAIMED_LEVEL)


def _refusal(act: Callable[[], Request]) -> str:
    try:
        act()
    except AosError as error:
        return error.detail
    return ""


def after_yes(looked: Looked) -> str:
    """What follows a yes, in a sentence."""
    request = looked.request
    left = request.min_approvals - request.approvals
    if request.status not in OPEN:
        return ""
    if left > 1:
        more = "another person" if left == 2 else f"{left - 1} other people"
        return f"It then waits for {more} of level {request.required_level} or above."
    used = "once" if request.uses == 1 else f"{request.uses:,} times"
    hours = int(approvals.GRANT.total_seconds() // 3600)
    return f"It is approved then: whoever asked may run exactly this plan, {used}, within {hours} hours."


def after_higher(looked: Looked) -> str:
    """What follows a higher level, in a sentence."""
    level = min(looked.request.required_level + 1, MAX_LEVEL)
    needed = max(looked.request.min_approvals, approvals.MIN_APPROVALS[level])
    people = "1 person" if needed == 1 else f"{needed} people"
    return f"It then takes {people} of level {level}; who has said yes at a lower level no longer counts."
