"""`aos policy diff`."""

from typing import Annotated, Any

from typer import Argument

from aos.api.server.policy_versions import compare, side
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.wire.policies import rule_document
from aos.wire.results.documents import envelope

First = Annotated[str, Argument(metavar="A", help="A version, or a folder or file of rules on this machine.")]
Second = Annotated[
    str | None, Argument(metavar="[B]", help="What it became; without it, A is compared with what is active.")
]


def diff(first: First, second: Second = None, server: Server = None, context: Context = None) -> Answer:
    """How rules differ: which were added, removed and changed by what they mean, and then line by line.

    Each side is a version's number, `active`, or a place on this machine; with one alone it is compared with what is
    active.
    """
    asked = session(server, context)
    with asked.client as client:
        before, after = (
            side(client, one) for one in (("active", first) if second is None else (first, second))
        )
    found = compare(before, after)

    def document() -> dict[str, Any]:
        changed = [
            {"before": rule_document(old), "after": rule_document(new)} for old, new in found.rules.changed
        ]
        return {
            **envelope("aos.policy-diff/1"),
            "before": {"name": before.name, "policy_digest": found.before},
            "after": {"name": after.name, "policy_digest": found.after},
            "same": found.before == found.after,
            "added": [rule_document(rule) for rule in found.rules.added],
            "removed": [rule_document(rule) for rule in found.rules.removed],
            "changed": changed,
            "lines": list(found.lines),
        }

    def text(look: Look) -> str:
        from aos.report.server import policy_versions as report

        return report.compared((before.name, after.name), found.rules, found.lines, *look)

    return Answer(document, text)
