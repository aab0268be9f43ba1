"""A program as a skill: its parameters come as JSON on stdin, what it prints is one JSON object.

    {"result": …}                                                it worked, with exit status 0
    {"failure": {"code": …, "detail": …, "retry_after_ms"?: …}}  it did not, with any exit status

Either may have `cost_cents`, `effect` (none, committed, unknown) and `features` (numbers by name). A code is one of the
failure catalogue or of the skill's descriptor. AOS_RUN, AOS_STEP, AOS_ATTEMPT, AOS_KEY (the same for every attempt) and
AOS_TIMEOUT_S are in its environment.
"""

import json
import os
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

from aos.domain.skills.failures import FAILURES, Effect
from aos.domain.skills.skill import MAX_CENTS, Skill
from aos.errors import Finding, InputError
from aos.runtime.guards import GuardError
from aos.runtime.guards.patience import Patience
from aos.runtime.guards.processes import Finished, run
from aos.runtime.skills import Call, Fault, Reply
from aos.runtime.skills.registry import limit
from aos.runtime.skills.world import Command, World
from aos.wire.problems import visible
from aos.wire.shape import MISSING, Reader
from aos.wire.strict import parse

__all__ = ["implementation"]

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_EFFECTS = ("none", "committed", "unknown")


class _Command(NamedTuple):
    command: Command
    workspace: Path
    codes: frozenset[str]
    max_reply_bytes: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        given = json.dumps(params, allow_nan=False).encode()
        patience = Patience(call.timeout_s, call.cancelled)
        environment = _environment(self.command, call)
        done = run(self.command.words, given, self.workspace, environment, patience, self.max_reply_bytes)
        try:
            reply = _read(done.output)
        except InputError as error:
            raise GuardError("SKILL_ERROR", _unread(done, error.findings[0])) from None
        if reply.fault is None and done.status != 0:
            raise GuardError("SKILL_ERROR", f"a result, but {_ended(done.status)}{_last(done.errors)}")
        if reply.fault and reply.fault.code not in self.codes:
            detail = f"{visible(reply.fault.code)} is no code of the catalog: {reply.fault.detail}"
            return reply._replace(fault=Fault("SKILL_ERROR", detail))
        return reply


def _environment(command: Command, call: Call) -> dict[str, str]:
    """Nothing of ours that it has no use for: keys stand in environments."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    told = {"RUN": call.run, "STEP": str(call.place), "ATTEMPT": str(call.attempt), "KEY": call.key}
    told["TIMEOUT_S"] = f"{call.timeout_s:g}"
    return {**inherited, **command.environment, **{f"AOS_{name}": value for name, value in told.items()}}


def _read(output: bytes) -> Reply:
    """The reply that the output tells of. Raises InputError."""
    reader = Reader()
    document = parse(output, "json", name="output", max_bytes=len(output), code="bad_params")
    fields = reader.obj(document, "", known=("result", "failure", "cost_cents", "effect", "features"))
    fault = None
    if fields["failure"] is not MISSING:
        known = ("code", "detail", "retry_after_ms")
        failure = reader.obj(fields["failure"], "/failure", known=known, required=("code", "detail"))
        fault = Fault(
            reader.text(failure["code"], "/failure/code", ""),
            visible(reader.text(failure["detail"], "/failure/detail", ""), 500),
            reader.number(failure["retry_after_ms"], "/failure/retry_after_ms", None, low=0),
        )
    if (fault is None) == (fields["result"] is MISSING):
        reader.add("", "bad_value", "it needs either a result or a failure")
    named = reader.obj(fields.get("features", {}), "/features")
    features = {name: reader.number(named[name], f"/features/{name}", 0.0) for name in named}
    effect = cast(Effect | None, reader.choice(fields["effect"], "/effect", None, allowed=_EFFECTS))
    cost = reader.money(fields["cost_cents"], "/cost_cents", Decimal(0), high=MAX_CENTS)
    reader.raise_if_any("bad_params", "output")
    return Reply(fields.get("result"), fault, cost, effect=effect, features=features)


def _unread(done: Finished, found: Finding) -> str:
    """Why the output is none of a skill. One that broke says why on stderr."""
    if not done.output.strip():
        return f"{_ended(done.status)}, and no output{_last(done.errors)}"
    first = visible(done.output.decode("utf-8", "replace").strip().splitlines()[0], 60)
    if found.pointer or done.output.lstrip()[:1] == b"{":
        wrong = f"{found.pointer} {found.detail}".strip()
    else:
        wrong = "stdout is for one JSON object, and what else there is to say for stderr"
    return f"{_ended(done.status)}, and an output that begins {first}: {wrong}{_last(done.errors)}"


def _ended(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"ended by signal {-status}"


def _last(errors: bytes) -> str:
    """The last line of stderr, to be put behind a sentence."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return f": {visible(lines[-1], 200)}" if lines else ""


def _is_there(command: Command, workspace: Path) -> bool:
    """Whether the program can be found as it will be looked for: in PATH, or from the workspace on."""
    word = command.words[0]
    path = command.environment.get("PATH", os.environ.get("PATH"))
    return shutil.which(str(workspace / word) if "/" in word else word, path=path) is not None


def implementation(skill: Skill, world: World) -> _Command | None:
    """None where there is no such program. Limits: constraints.max_reply_bytes."""
    if not _is_there(world.commands[skill.id], world.workspace):
        return None
    codes = frozenset({*FAILURES, *(mode.code for mode in skill.failures or ())})
    max_bytes = limit(skill, "max_reply_bytes", 10 * 1024 * 1024)
    return _Command(world.commands[skill.id], world.workspace, codes, max_bytes)
