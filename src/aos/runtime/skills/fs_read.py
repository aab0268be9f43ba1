"""fs_read{path} -> {content, bytes}: a text file of the workspace."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aos.domain.skills.skill import Skill
from aos.runtime.guards import GuardError
from aos.runtime.guards.files import Workspace
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.registry import limit
from aos.runtime.skills.world import World

__all__ = ["implementation"]


class _FsRead(NamedTuple):
    workspace: Path
    max_bytes: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        with Workspace(self.workspace) as workspace:
            data = workspace.read(params["path"], self.max_bytes)
        try:
            content = data.decode()
        except UnicodeDecodeError as error:
            detail = f"{params['path']}: byte {error.start} is not UTF-8; only text can be read"
            raise GuardError("BAD_REPLY", detail, effect="none") from None
        return Reply({"content": content, "bytes": len(data)})


def implementation(skill: Skill, world: World) -> _FsRead:
    """Limits: constraints.max_bytes."""
    return _FsRead(world.workspace, limit(skill, "max_bytes", 10 * 1024 * 1024))
