"""`aos policy check`."""

from typing import Annotated, Any

from typer import Argument

from aos.api.forecast.policies import load_policy
from aos.cli.answer import Answer, Look
from aos.wire.policies import rule_document
from aos.wire.results.documents import envelope


def check(
    place: Annotated[
        str | None,
        Argument(
            metavar="[DIR]", help="A .cedar file, or a folder of them; without it, the rules that ship."
        ),
    ] = None,
) -> Answer:
    """Find everything that is wrong with rules, at once: text, names, facts that may be unknown, ids given twice."""
    policy = load_policy(place)

    def document() -> dict[str, Any]:
        return {
            **envelope("aos.policy-check/1"),
            "ok": True,
            "rules": [rule_document(rule) for rule in policy.rules],
            "digest": policy.digest,
        }

    def text(look: Look) -> str:
        from aos.report.forecast import policy as report

        return report.rules(policy.rules, policy.digest, *look)

    return Answer(document, text)
