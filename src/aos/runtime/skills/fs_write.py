"""fs_write{path, content} -> {bytes, sha256}: replaces a text file of the workspace, whole or not at all."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aos.domain.runs.outcomes import SideEffect
from aos.domain.skills.skill import Skill
from aos.runtime.guards import GuardError
from aos.runtime.guards.files import Workspace
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.registry import limit
from aos.runtime.skills.world import World

__all__ = ["implementation"]


class _FsWrite(NamedTuple):
    workspace: Path
    max_bytes: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        try:
            data = params["content"].encode()
        except UnicodeEncodeError:
            raise GuardError("BAD_PARAMS", "the content holds half a character (a lone surrogate)") from None
        if len(data) > self.max_bytes:
            raise GuardError("INPUT_TOO_LARGE", f"{len(data):,} bytes; the limit is {self.max_bytes:,} bytes")
        with Workspace(self.workspace) as workspace:
            workspace.write(params["path"], data)
        written = SideEffect("file.write", params["path"], reversible=False)
        return Reply(
            {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}, side_effects=(written,)
        )


def implementation(skill: Skill, world: World) -> _FsWrite:
    """Limits: constraints.max_bytes."""
    return _FsWrite(world.workspace, limit(skill, "max_bytes", 10 * 1024 * 1024))
