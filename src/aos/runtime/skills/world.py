"""What skills may touch, as values: whoever runs a plan decides it, and no plan can widen it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from aos.runtime.guards.network import Network

__all__ = ["Secret", "World"]

Secret = Callable[[str], str | None]
"""A secret by its name; None where there is none of that name."""


def _no_secret(name: str) -> str | None:
    return None


class World(NamedTuple):
    """`workspace` is the folder of files, `network` how far calls reach, `secret` where keys are from."""

    workspace: Path
    network: Network = Network()
    secret: Secret = _no_secret
