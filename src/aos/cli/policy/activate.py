"""`aos policy activate`."""

from typing import Annotated

from typer import Argument, Option

from aos.api.server.policy_versions import number_of
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.policy.options import warnings
from aos.cli.server import Context, Server
from aos.wire.problems import visible
from aos.wire.results.documents import envelope

IfActive = Annotated[
    str | None,
    Option(
        "--if-active",
        metavar="DIGEST",
        help="Only if these rules are active now (else: what is found active).",
    ),
]
Why = Annotated[str, Option("--why", metavar="TEXT", help="Why, for people and the audit log.")]


def activate(
    version: Annotated[str, Argument(metavar="VERSION", help="Its number; 0 are the rules that ship.")],
    if_active: IfActive = None,
    why: Why = "",
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Let a version of the rules hold from now on. It takes level 4, and a person.

    Where other rules are active than --if-active names, or somebody else activates any meanwhile, nothing is changed
    and the exit status is 9. Look with `aos policy diff VERSION` first.
    """
    asked = session(server, context)
    with asked.client as client:
        seen = if_active or client.active_policy()["policy_digest"]
        said = client.activate_policy(number_of(client, version), seen, why)
    document = {**said, **envelope("aos.policy-activation/1"), "server": asked.url}

    def text(look: Look) -> str:
        digest = visible(str(said["policy_digest"]))
        return f"version {said['version']} is active  {digest}\nbefore: version {said['before']['version']}"

    return Answer(lambda: document, text, aside=warnings(said))
