"""What an approval request does, one call after another: written from the rules as people are told them.

It shares nothing with `aos.domain.approvals.requests`, so that the two can't be wrong together.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.races.linear import Call

__all__ = ["Answer", "Asked", "Asks", "State", "after", "opened"]

PEOPLE_NEEDED = {2: 1, 3: 1, 4: 2, 5: 2}
NOTHING_DONE = ("request_in_progress", "unavailable", "overloaded")
"""What the server may answer at any time when it has done nothing."""


class Asks(NamedTuple):
    """A request: who asks, for what level, how often it may be used, until when it is open (Unix time)."""

    requester: str
    level: int
    uses: int
    expires_at: float


class Asked(NamedTuple):
    """What somebody asks the server to do. `held` is their level; `stale`: they looked at something else."""

    act: str
    who: str
    held: int
    key: str | None = None
    stale: bool = False


class Answer(NamedTuple):
    """A refusal's code, or how the request stands."""

    code: str = ""
    status: str = ""
    level: int = 0
    approvals: int = 0
    used: int = 0


class State(NamedTuple):
    """The request, who broke the glass, what was answered to each key. A vote is who, and the level of a yes."""

    status: str
    level: int
    needed: int
    votes: frozenset[tuple[str, int]] = frozenset()
    used: int = 0
    broken_by: str = ""
    told: frozenset[tuple[str, Answer]] = frozenset()

    @property
    def open(self) -> bool:
        return self.status in ("pending", "escalated")

    @property
    def shown(self) -> Answer:
        yes = sum(level >= self.level for _, level in self.votes)
        return Answer("", self.status, self.level, yes, self.used)


def opened(asks: Asks) -> State:
    """Nobody has said anything yet."""
    return State("pending", asks.level, PEOPLE_NEEDED[asks.level])


def after(asks: Asks, state: State, call: Call) -> Iterator[State]:
    """The states that the call may lead to, given what was answered."""
    asked: Asked = call.asked
    answer: Answer = call.answer
    before = dict(state.told)
    for now in _in_time(asks, state, call):
        if answer.code in NOTHING_DONE:
            yield now
        elif asked.key in before:
            if before[asked.key] == answer:
                yield now
        elif answer.code:
            if answer.code in set(_refusals(asks, now, asked)):
                yield now
        elif not any(_refusals(asks, now, asked)):
            done = _done(asks, now, asked)
            if done.shown == answer:
                yield done._replace(told=done.told | {(asked.key, answer)}) if asked.key else done


def _in_time(asks: Asks, state: State, call: Call) -> Iterator[State]:
    """An open request ends when its time is up; the server's clock read something between call and answer."""
    if not state.open or call.begun < asks.expires_at:
        yield state
    if state.open and call.ended >= asks.expires_at:
        yield state._replace(status="expired")


def _refusals(asks: Asks, state: State, asked: Asked) -> Iterator[str]:
    """Every reason there is not to do it."""
    mine, decides = asked.who == asks.requester, asked.act in ("approve", "reject", "break")
    if asked.act in ("cancel", "consume") and not mine:
        yield "authorization_denied"
    if (decides or asked.act == "escalate") and mine:
        yield "authorization_denied"
    if decides and asked.held < (5 if asked.act == "break" else state.level):
        yield "authorization_denied"
    if asked.act == "break" and asked.who == state.broken_by:
        yield "authorization_denied"  # nobody has looked at that yet
    if decides and any(who == asked.who for who, _ in state.votes):
        yield "already_voted"
    if asked.stale and (decides or asked.act == "consume"):
        yield "stale_digest"
    if asked.act == "consume":
        yield from _not_usable(asks, state)
    elif asked.act != "read" and not state.open:
        yield "already_decided"
    elif asked.act == "escalate" and state.level == 5:
        yield "no_higher_level"


def _not_usable(asks: Asks, state: State) -> Iterator[str]:
    if state.open:
        yield "approval_pending"
    elif state.used == asks.uses:
        yield "already_consumed"
    elif state.status != "approved":
        yield "not_approved"


def _done(asks: Asks, state: State, asked: Asked) -> State:
    match asked.act:
        case "approve":
            voted = state._replace(votes=state.votes | {(asked.who, asked.held)})
            enough = voted.shown.approvals >= voted.needed
            return voted._replace(status="approved") if enough else voted
        case "break":
            votes = state.votes | {(asked.who, asked.held)}
            return state._replace(votes=votes, status="approved", broken_by=asked.who)
        case "reject":
            return state._replace(votes=state.votes | {(asked.who, 0)}, status="rejected")
        case "escalate":
            level = state.level + 1
            needed = max(state.needed, PEOPLE_NEEDED[level])
            return state._replace(status="escalated", level=level, needed=needed)
        case "cancel":
            return state._replace(status="cancelled")
        case "consume":
            used = state.used + 1
            return state._replace(used=used, status="consumed" if used == asks.uses else "approved")
    return state
