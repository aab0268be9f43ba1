"""Answers that are worth keeping, about values that can't be hashed: a catalog, a skill, a schema."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

__all__ = ["kept"]

Function = TypeVar("Function", bound=Callable[..., Any])


class _Itself:
    """A key that equals only keys of the same object. It holds the object, so that no other takes its place."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value


def kept(most: int) -> Callable[[Function], Function]:
    """Keep the last `most` answers of a function of such a value and of others that can be hashed.

    The first argument is told by its identity: what is in it is never changed once it is built.
    """

    def decorate(function: Function) -> Function:
        @lru_cache(maxsize=most)
        def answer(key: _Itself, *rest: Hashable) -> Any:
            return function(key.value, *rest)

        @wraps(function)
        def about(value: object, *rest: Hashable) -> Any:
            return answer(_Itself(value), *rest)

        return cast(Function, about)

    return decorate
