"""The person who decides: shown what it is, asked for a yes that takes thought where it can't be taken back."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from aos.api.server.approvals import Seen
from aos.cli.answer import is_terminal, look, write
from aos.cli.requests.showing import card_of
from aos.errors import AosError
from aos.sdk.client import Client

__all__ = ["ALONE", "agree", "agree_to_all", "is_present"]

ALONE = 4
"""From this level on each request is decided by itself."""


def is_present() -> bool:
    """Whether somebody is at a terminal who reads and can answer."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def agree(client: Client, seen: Seen, verb: str) -> None:
    """Show the card and ask. What can't be undone, or takes level 4 or 5, takes a word that has to be typed.

    Raises AosError(not_confirmed).
    """
    from aos.report.approvals.card import irreversible

    write(sys.stderr, card_of(client, seen, look(sys.stderr)))
    grave = irreversible(seen.envelope) or seen.document["required_level"] >= ALONE or seen.envelope is None
    word = str(seen.document["digest"]).removeprefix("sha256:")[:6] if grave else "yes"
    _type(
        f"To {verb} it, type the first six characters of its digest: "
        if grave
        else f"{verb.capitalize()} it? Type yes: ",
        word,
    )


def agree_to_all(requests: Sequence[Mapping[str, Any]], verb: str) -> None:
    """Say how many of what there are, and have that number typed. Raises AosError(not_confirmed)."""
    from aos.report.approvals.lists import counted

    write(sys.stderr, counted(requests, *look(sys.stderr)))
    _type(f"To {verb} them all unseen, type `{verb} {len(requests)}`: ", f"{verb} {len(requests)}")


def _type(text: str, word: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != word:
        raise AosError(
            "not_confirmed",
            "nothing was decided: what had to be typed was not",
            fix="Run it again and type what it asks for.",
        )
