"""`aos policy list`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Cursor, Limit, Server, told


def list_versions(
    limit: Limit = 50, cursor: Cursor = None, server: Server = None, context: Context = None
) -> Answer:
    """Versions of your tenant's rules on a server, and which of them is active. Version 0 is the policy that ships."""
    return told(
        lambda client: client.policies(limit=limit, cursor=cursor),
        "aos.policy-versions/1",
        "policy_versions.versions",
        server,
        context,
    )
