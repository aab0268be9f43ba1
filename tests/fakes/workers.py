"""Workers without processes."""

from collections.abc import Callable
from typing import TypeVar

from aos_server.services.workers import Workers

T = TypeVar("T")


class Inline(Workers):
    """Computes in the process of the test, and counts how often."""

    def __init__(self) -> None:
        self.computed = 0

    async def run(self, function: Callable[..., T], *args: object, heavy: bool = False) -> T:
        self.computed += 1
        return function(*args)
