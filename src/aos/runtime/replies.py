"""Skills of somebody else's: whatever they raise or return becomes a reply that a run can record."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast, get_args

from aos.domain.runs.outcomes import SideEffect
from aos.domain.skills.failures import FAILURES, Effect
from aos.domain.skills.skill import MAX_CENTS, Skill
from aos.errors import InputError
from aos.runtime.guards import GuardError
from aos.runtime.skills import Call, Fault, Implementation, Reply
from aos.wire.problems import visible
from aos.wire.strict import MAX_INTEGER, Json, parse

__all__ = ["MAX_RESULT_BYTES", "Foreign"]

MAX_RESULT_BYTES = 10 * 1024 * 1024
"""A result as JSON."""
_MAX_NODES = 1_000_000
_FEW = 16
_EFFECTS = (None, *get_args(Effect))


class Foreign(NamedTuple):
    """The skill of another package, or of the caller's own. What it did is on record even where it replies nonsense:
    as a SKILL_ERROR, of which nobody knows the cost nor, unless it only reads, the effect.
    """

    carry_out: Implementation
    skill: Skill

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        try:
            return self._checked(self.carry_out(params, call))
        except GuardError:
            raise
        except _Unfit as unfit:
            return _broken(str(unfit))
        except BaseException as error:
            return _broken(f"{type(error).__name__}: {error}")

    def _checked(self, given: Any) -> Reply:
        """The reply with a result that is JSON and a cost that is a Decimal. Raises _Unfit."""
        if not isinstance(given, Reply):
            raise _Unfit(f"it has to return a Reply, not {type(given).__name__}")
        result, fault, cost, side_effects, effect, _, features = _untyped(given)
        if effect not in _EFFECTS:
            raise _Unfit(f"effect {effect!r}: it is one of none, committed, unknown, or None")
        if not isinstance(side_effects, tuple) or not all(map(_is_side_effect, side_effects)):
            raise _Unfit("side_effects is a tuple of SideEffect")
        if not isinstance(features, Mapping) or not all(
            isinstance(name, str) and _is_number(value) for name, value in features.items()
        ):
            raise _Unfit("features are finite numbers by name")
        fault = None if fault is None else self._fault(fault)
        return given._replace(result=None if fault else _json(result), fault=fault, cost_cents=_cost(cost))

    def _fault(self, given: Any) -> Fault:
        code, detail, wait = _untyped(given) if isinstance(given, Fault) else (None, None, None)
        if not isinstance(code, str) or not isinstance(detail, str):
            raise _Unfit("its fault has to be a Fault with a code and a sentence")
        if wait is not None and not (_is_number(wait) and wait >= 0):
            raise _Unfit(f"retry_after_ms {wait!r}: it is a number from 0 on, or None")
        if code not in FAILURES and code not in {mode.code for mode in self.skill.failures or ()}:
            raise _Unfit(f"{code} is no code of the catalog: {detail}")
        return Fault(code, visible(detail, 500), wait)


def _untyped(given: "tuple[Any, ...]") -> "tuple[Any, ...]":
    """Its fields: nothing has checked what somebody else put there."""
    return tuple(given)


def _is_side_effect(value: Any) -> bool:
    return isinstance(value, SideEffect) and all(isinstance(text, str) for text in _untyped(value)[:2])


class _Unfit(Exception):
    """What is wrong with a reply, in words."""


def _broken(why: str) -> Reply:
    return Reply(fault=Fault("SKILL_ERROR", visible(why, 500)), cost_cents=None)


def _cost(stated: Any) -> Decimal | None:
    if stated is None:
        return None
    if not _is_number(stated) or not 0 <= stated <= MAX_CENTS:
        raise _Unfit(f"cost_cents {stated!r}: it is an amount from 0 to {MAX_CENTS:,.0f} cents, or None")
    return stated if isinstance(stated, Decimal) else Decimal(repr(stated))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value)


def _json(result: Any) -> Json:
    """The result as others will read it, nothing shared inside it. Raises _Unfit."""
    if _is_plain(result) or (type(result) is dict and len(result) <= _FEW and _is_flat(result)):
        return cast(Json, result)  # what most skills return need not be written out to see what it is
    try:
        data = json.dumps(result, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
        return parse(
            data,
            "json",
            name="the result",
            max_bytes=MAX_RESULT_BYTES,
            code="bad_params",
            max_nodes=_MAX_NODES,
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise _Unfit(f"the result is no JSON value: {error}") from None
    except InputError as error:
        found = error.findings[0]
        raise _Unfit(f"the result is no JSON value: {found.pointer} {found.detail}") from None


def _is_flat(result: dict[Any, Any]) -> bool:
    return all(type(key) is str and key.isascii() and _is_plain(value) for key, value in result.items())


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return bool(value.isascii()) and len(value) <= MAX_RESULT_BYTES // _FEW
    if kind is int:
        return bool(abs(value) <= MAX_INTEGER)
    return value is None or kind is bool or (kind is float and math.isfinite(value))
