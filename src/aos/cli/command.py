"""A row of the table of commands."""

from typing import NamedTuple

from aos.errors import Exit

EVERY = (
    *(Exit.YES, Exit.INTERNAL, Exit.USAGE, Exit.WRITE_FAILED),
    *(Exit.INTERRUPTED, Exit.TERMINATED),
)
"""The statuses that every command can have."""

TOKEN = "a renewed token, where the old one ends"
"""What a command that asks a server writes on the machine, if anything."""


class Command(NamedTuple):
    """One row. `target` is `module:function` below `aos.cli`; `schemas` are the documents that --json can print."""

    target: str
    help: str
    example: str
    schemas: tuple[str, ...]
    exits: tuple[Exit, ...] = ()
    writes: str = "nothing"
    network: bool = False
