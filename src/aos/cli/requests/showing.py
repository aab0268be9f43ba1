"""Requests shown: the card and the document of one, what became of some."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aos.api.server.approvals import Seen, since_last
from aos.cli.answer import Answer, Look
from aos.domain.approvals.envelopes import Departure
from aos.errors import Exit
from aos.sdk.client import Client
from aos.wire.envelopes import dump_departure
from aos.wire.results.documents import envelope

__all__ = ["card_of", "decided", "shown"]


def card_of(client: Client, seen: Seen, look: Look) -> str:
    """The card, with what changed since the last approval of a plan of this name."""
    return _card(seen, since_last(client, seen.document), look)


def shown(client: Client, seen: Seen, server: str, status: Exit) -> Answer:
    """One request: the whole document, and the card."""
    changes = since_last(client, seen.document)
    document = {
        **seen.document,
        **envelope("aos.approval-request/1"),
        "changes": None if changes is None else [dump_departure(one) for one in changes],
        "server": server,
        "exit_code": int(status),
    }
    return Answer(lambda: document, lambda look: _card(seen, changes, look), status)


def _card(seen: Seen, changes: Sequence[Departure] | None, look: Look) -> str:
    from aos.report.approvals.card import Request, card

    return card(Request(seen.document, seen.envelope, changes, datetime.now(UTC)), *look)


def decided(
    states: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, Any]],
    server: str,
    status: Exit,
) -> Answer:
    """What became of each, and why of those that were refused."""
    document = {
        **envelope("aos.decisions/1"),
        "exit_code": int(status),
        "requests": list(states),
        "failures": list(failures),
        "server": server,
    }

    def text(look: Look) -> str:
        from aos.report.approvals import lists

        return lists.decided(document, *look)

    return Answer(lambda: document, text, status)
