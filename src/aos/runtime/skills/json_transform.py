"""json_transform{query, input?} -> {result}: a JMESPath query, bounded in steps, time and size.

JMESPath has no loops, but `[@, @] | [@, @] | …` doubles its value with every pipe, and `join` multiplies lengths: some
hundred characters of query are enough to fill any memory. So each value that a query makes is weighed as if it were
written out, before anything is done with it.
"""

import codecs
import json
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from aos.domain.skills.skill import Skill
from aos.errors import InputError
from aos.runtime.guards import GuardError
from aos.runtime.guards.patience import Patience
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.registry import limit
from aos.runtime.skills.world import World
from aos.wire.plans.queries import MAX_QUERY, tree
from aos.wire.problems import visible
from aos.wire.shape import shown
from aos.wire.strict import Json, parse

__all__ = ["MAX_QUERY", "MAX_STEPS", "implementation"]

MAX_STEPS = 1_000_000
"""Parts of a query evaluated, each once for every value that it meets."""

_MAX_NODES = 1_000_000
_KEYS_SHOWN = 6


class _JsonTransform(NamedTuple):
    max_bytes: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        if "input" not in params:
            raise GuardError("BAD_PARAMS", "no input is given, and no step before has an output to take")
        value = _input(params["input"], self.max_bytes)
        patience = Patience(call.timeout_s, call.cancelled)
        result = _searched(_parsed(params["query"]), value, _Bounded(patience, self.max_bytes))
        if result is None and value is not None:
            what = f"{_outline(value)}; `QUERY || 'x'` gives it another value"
            raise GuardError("BAD_QUERY", f"the query finds nothing in {what}")
        return Reply({"result": _plain(result, self.max_bytes)})


def _input(given: Any, max_bytes: int) -> Any:
    """The input as a value: text that holds a JSON object or array (a file, a reply sent as text) counts as that."""
    text = given if isinstance(given, str) else _written(given)
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > max_bytes:
        raise GuardError("INPUT_TOO_LARGE", f"{len(data):,} bytes; the limit is {max_bytes:,} bytes")
    plain = text.removeprefix("\ufeff")  # which Windows likes to put before a file's text
    if not isinstance(given, str) or not plain.lstrip().startswith(("{", "[")):
        return given
    return _read(data.removeprefix(codecs.BOM_UTF8), "the input", max_bytes, long_as_text=True)


def _outline(value: Any) -> str:
    """What a query could have found something in."""
    match value:
        case dict():
            keys = [json.dumps(visible(key, 40), ensure_ascii=False) for key in islice(value, _KEYS_SHOWN)]
            more = f" and {len(value) - _KEYS_SHOWN:,} more" if len(value) > _KEYS_SHOWN else ""
            return f"an object of {', '.join(keys)}{more}" if keys else "an empty object"
        case list():
            return f"an array of {len(value):,}"
        case str():
            return "text"
        case _:
            return shown(value)


def _parsed(query: str) -> Any:
    if len(query) > MAX_QUERY:
        raise GuardError(
            "INPUT_TOO_LARGE", f"a query of {len(query):,} characters; the limit is {MAX_QUERY:,}"
        )
    try:
        return tree(query)
    except ValueError as error:
        raise GuardError("BAD_QUERY", str(error)) from None


def _searched(tree: Any, value: Any, interpreter: "_Bounded") -> Any:
    try:
        return interpreter.visit(tree, value)
    except RecursionError:
        raise GuardError("BAD_QUERY", "nested too deep") from None
    except (JMESPathError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _bad(error) from None


class _Bounded(TreeInterpreter):
    """Evaluates as the library does, but counts steps, weighs what comes out, and stops when patience ends."""

    def __init__(self, patience: Patience, max_bytes: int) -> None:
        super().__init__(Options(custom_functions=_Functions(max_bytes)))
        self._patience = patience
        self._max_bytes = max_bytes
        self._steps = 0
        self._weights: dict[int, int] = {}
        self._weighed: list[Any] = []  # kept, so that no other value gets an id that was weighed

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise GuardError("BAD_QUERY", f"it takes more than {MAX_STEPS:,} steps on this input")
        self._patience.left_s()
        found = super().visit(node, *args, **kwargs)
        if self._weight(found) > self._max_bytes:
            raise GuardError("BAD_QUERY", f"it makes a value of more than {self._max_bytes:,} bytes")
        return found

    def _weight(self, value: Any) -> int:
        """Bytes of the value written out, at least; what stands in it twice counts twice."""
        if isinstance(value, str):
            return len(value)
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in self._weights:
            inside = value if isinstance(value, list) else value.values()
            names = 0 if isinstance(value, list) else sum(len(key) + 3 for key in value)
            self._weights[id(value)] = 1 + names + len(value) + sum(self._weight(item) for item in inside)
            self._weighed.append(value)
        return self._weights[id(value)]


class _Functions(Functions):
    """The library's functions, but for `join`, which can make much out of little."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        if len(separator) * len(array) + sum(map(len, array)) > self._max_bytes:
            raise GuardError("BAD_QUERY", f"it joins a text of more than {self._max_bytes:,} bytes")
        return separator.join(array)


def _plain(result: Any, max_bytes: int) -> Json:
    """The result as the JSON document that others will read it as, nothing shared inside it."""
    return _read(_written(result).encode("utf-8", "surrogatepass"), "the result", max_bytes)


def _written(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise GuardError("BAD_QUERY", f"no JSON value: {visible(str(error), 200)}") from None


def _read(data: bytes, name: str, max_bytes: int, *, long_as_text: bool = False) -> Json:
    try:
        return parse(
            data,
            "json",
            name=name,
            max_bytes=max_bytes,
            code="bad_params",
            max_nodes=_MAX_NODES,
            long_as_text=long_as_text,
        )
    except InputError as error:
        raise GuardError(
            "BAD_QUERY", f"{error.findings[0].pointer or name}: {error.findings[0].detail}"
        ) from None


def _bad(error: Exception) -> GuardError:
    said = " ".join(str(error).split()).removesuffix(" ^")  # the library draws an arrow below the place
    return GuardError("BAD_QUERY", f"{visible(said, 300)} (queries are JMESPath: https://jmespath.org)")


def implementation(skill: Skill, world: World) -> _JsonTransform:
    """Limits: constraints.max_input_bytes, for input, result and every value between."""
    return _JsonTransform(limit(skill, "max_input_bytes", 10 * 1024 * 1024))
