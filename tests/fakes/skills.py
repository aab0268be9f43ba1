"""Skills as a run has them, without a run."""

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

import aos
from aos.domain.runs.run import Place
from aos.runtime.guards.addresses import Reach
from aos.runtime.guards.network import Network
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call
from aos.runtime.skills.registry import implementations
from aos.runtime.skills.world import World

LOCAL = Network(Reach(allow_private=True))


def carry_out(
    skill: str,
    params: Mapping[str, Any],
    world: World | None = None,
    *,
    key: str = "run-1:s1:0:0",
    attempt: int = 1,
    seconds: float = 60,
    cancelled: Event | None = None,
    **constraints: int,
) -> Any:  # a Reply; what a test looks at in it shall be there
    """One attempt of a skill of the shipped catalog, its constraints changed as given."""
    descriptor = aos.load_catalog().skills[skill]
    descriptor = descriptor._replace(constraints={**descriptor.constraints, **constraints})
    call = Call("run-1", Place("s1"), attempt, key, seconds, cancelled or Event())
    return implementations([descriptor], world or World(Path(), Secrets(), LOCAL))[skill](params, call)
