"""The next command as it has to be typed: what was said to get here is said again."""

import shlex
from collections.abc import Container
from typing import Any

from typer._click.core import Parameter
from typer._click.globals import get_current_context

from aos.wire.commands import Commands

__all__ = ["commands"]

_RECORD = ("ledger",)
_ASKING = ("ledger", "tenant", "agent", "server", "context")
_CARRYING = (*_ASKING, "catalogs", "policy", "workspace", "allow_hosts", "allow_private")


def commands() -> Commands:
    """The commands that make sense next, with the options of the one that is being carried out."""
    context = get_current_context()
    said = {one.name: _words(one, context.params.get(one.name or "")) for one in context.command.params}

    def again(names: Container[str]) -> str:
        return " ".join(words for name, words in said.items() if name in names and words)

    return Commands(again(_RECORD), again(_CARRYING), again(_ASKING))


def _words(option: Parameter, value: Any) -> str:
    name = max(option.opts, key=len)
    if value is True:
        return name
    values = value if isinstance(value, list | tuple) else [value]
    return " ".join(f"{name} {shlex.quote(str(one))}" for one in values if one not in (None, False))
