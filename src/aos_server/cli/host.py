"""Whoever works on this machine: they may do all that its settings allow, and the audit log says who did it."""

import getpass
import re

from aos.errors import AosError
from aos.wire.problems import visible
from aos_server.identity.caller import Caller, Principal

__all__ = ["host_caller"]

_TENANT = re.compile(r"[A-Za-z0-9._:@-]{1,64}")


def host_caller(tenant: str) -> Caller:
    """The user of this machine, in that tenant. Raises AosError(bad_value) for a name that no tenant can have."""
    if not _TENANT.fullmatch(tenant):
        raise AosError(
            "bad_value", f'"{visible(tenant)}" is no name of a tenant: 1 to 64 letters, digits and ._:@-'
        )
    return Caller(Principal("urn:aos:host", getpass.getuser()), tenant, "human")
