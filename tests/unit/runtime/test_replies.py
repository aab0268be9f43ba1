"""What skills of somebody else's return, held to the form of a reply."""

import math
import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

import aos
from aos.domain.runs.outcomes import SideEffect
from aos.domain.runs.run import Place
from aos.runtime.guards import GuardError
from aos.runtime.replies import Foreign
from aos.runtime.skills import Call, Fault, Reply
from aos.wire.digests import canonical
from tests.strategies.values import json_values

SKILL = aos.load_catalog().skills["http_call"]
CALL = Call("r", Place("s1"), 1, "k", 5, threading.Event())


def replied(value: Any) -> Reply:
    return Foreign(lambda params, call: value, SKILL)({}, CALL)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


GOOD = [
    (Reply(), Reply()),
    (Reply({"a": (1, "é", None)}, effect="committed"), Reply({"a": [1, "é", None]}, effect="committed")),
    (Reply({1: 2}), Reply({"1": 2})),
    (Reply(1, cost_cents=0.1), Reply(1, cost_cents=Decimal("0.1"))),  # type: ignore[arg-type]
    (Reply(1, cost_cents=2), Reply(1, cost_cents=Decimal(2))),  # type: ignore[arg-type]
    (Reply(1, cost_cents=None), Reply(1, cost_cents=None)),
    (Reply(fault=Fault("TIMEOUT", "\x1b[2J", 5)), Reply(fault=Fault("TIMEOUT", "\\x1b[2J", 5))),
    (
        Reply(1, side_effects=(SideEffect("a", "b", True),)),
        Reply(1, side_effects=(SideEffect("a", "b", True),)),
    ),
]


@pytest.mark.parametrize(("given", "taken"), GOOD)
def test_a_good_reply_is_taken_as_json_and_decimals(given, taken):
    assert replied(given) == taken


BAD: dict[str, Any] = {
    "nothing": None,
    "a dict": {"result": 1},
    "a set": Reply({1, 2}),
    "bytes": Reply(b"x"),
    "NaN": Reply(math.nan),
    "Infinity inside": Reply({"a": [math.inf]}),
    "a Decimal": Reply(Decimal(1)),
    "a long integer": Reply({"a": 2**53}),
    "half a character": Reply("\ud800"),
    "half a character in a key": Reply({"\ud800": 1}),
    "one key twice": Reply({1: 1, "1": 2}),
    "deep": Reply(nested(5_000)),
    "cyclic": Reply(cyclic()),
    "long": Reply("x" * 10_485_760),
    "a negative cost": Reply(1, cost_cents=Decimal(-1)),
    "a cost that is no number": Reply(1, cost_cents=Decimal("NaN")),
    "a cost beyond reason": Reply(1, cost_cents=Decimal("1e30")),
    "a cost in words": Reply(1, cost_cents="1"),  # type: ignore[arg-type]
    "another effect": Reply(1, effect="maybe"),  # type: ignore[arg-type]
    "an effect that is a list": Reply(1, effect=[]),  # type: ignore[arg-type]
    "other side effects": Reply(1, side_effects=("x",)),  # type: ignore[arg-type]
    "no side effects": Reply(1, side_effects=None),  # type: ignore[arg-type]
    "a feature in words": Reply(1, features={"a": "b"}),  # type: ignore[dict-item]
    "a feature that is no number": Reply(1, features={"a": math.nan}),
    "a fault in words": Reply(fault="TIMEOUT"),  # type: ignore[arg-type]
    "a fault without a code": Reply(fault=Fault(None, "x")),  # type: ignore[arg-type]
    "a code of nobody": Reply(fault=Fault("WHAT", "x")),
    "a wait that is no number": Reply(fault=Fault("TIMEOUT", "x", math.nan)),
    "a negative wait": Reply(fault=Fault("TIMEOUT", "x", -1)),
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_nonsense_is_the_skills_fault_and_its_cost_unknown(value):
    reply = replied(value)
    assert reply.fault
    assert reply.fault.code == "SKILL_ERROR"
    assert len(reply.fault.detail) <= 600
    assert (reply.result, reply.cost_cents, reply.effect) == (None, None, None)


def test_what_it_raises_is_its_fault_but_for_what_the_guards_refuse():
    def broken(params, call):
        raise SystemExit("\x1b[2J" + "x" * 10_000)

    reply = Foreign(broken, SKILL)({}, CALL)
    assert reply.fault
    assert reply.fault.detail.startswith("SystemExit: \\x1b[2Jxxx")
    assert len(reply.fault.detail) <= 600

    def guarded(params, call):
        raise GuardError("DENIED", "x")

    with pytest.raises(GuardError):
        Foreign(guarded, SKILL)({}, CALL)


@given(json_values)
def test_any_json_value_is_taken_as_it_is(value):
    reply = replied(Reply(value))
    assert reply.fault is None
    assert canonical(reply.result) == canonical(value)
