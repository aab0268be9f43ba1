"""Deciding on requests: looked at one by one, or so many of a kind at once."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from typer import BadParameter

from aos.api.server.approvals import check_may, look
from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.cli.requests.asking import ALONE, agree, agree_to_all, is_present
from aos.cli.requests.showing import decided
from aos.errors import AosError, Exit
from aos.sdk.client import Client
from aos.sdk.core import Document
from aos.wire.problems import problem

__all__ = ["Which", "decide"]

_MOST = 200


class Which(NamedTuple):
    """Which requests: those named, or all that wait for the caller."""

    ids: Sequence[str]
    waiting: bool
    skill: str | None
    tenant: str | None


def decide(
    verb: str,
    digest: str | None,
    which: Which,
    act: Callable[[Client, Document], Document],
    server: str | None,
    context: str | None,
) -> Answer:
    """Look at each, ask, and do `act` to those agreed to. The lowest status but 0 is that of the whole."""
    if bool(which.ids) == which.waiting:
        raise BadParameter("name the requests, or say --waiting", param_hint="ID")
    asked = session(server, context)
    with asked.client as client:
        chosen = (
            _all_waiting(client, verb, which)
            if which.waiting
            else _looked_at(client, verb, which.ids, digest)
        )
        states, failures, status = [], list[Any](), Exit.YES
        for one in chosen:
            try:
                states.append(act(client, one))
            except AosError as error:
                if len(chosen) == 1:
                    raise
                failures.append({**problem(error), "request_id": one["request_id"]})
                status = min(filter(None, (status, error.row.exit)), default=Exit.YES)
        return decided(states, failures, asked.url, status)


def _looked_at(client: Client, verb: str, ids: Sequence[str], digest: str | None) -> list[Document]:
    """Those requests, once each was shown and agreed to; or, with the digest, the one that has it."""
    if digest is not None and len(ids) > 1:
        raise BadParameter("a digest is that of one request", param_hint="--digest")
    found = []
    for one in dict.fromkeys(ids):
        seen = look(client, one)
        if digest is None and not is_present():
            raise AosError(
                "usage",
                f"nobody is at a terminal who could look at it before you {verb} it",
                fix=f"Look at it with `aos requests show {one} --json`, then `aos {verb} {one} --digest DIGEST`.",
            )
        if digest is None:
            check_may(client, seen.document)
            agree(client, seen, verb)
        found.append(seen.document if digest is None else {**seen.document, "digest": digest})
    return found


def _all_waiting(client: Client, verb: str, which: Which) -> list[Document]:
    """Those that wait for the caller, of the levels that may be decided by the dozen, once they are agreed to."""
    if not is_present():
        raise AosError(
            "usage", f"many at once can be {verb}d at a terminal alone", fix="Name them one by one."
        )
    found: list[Document] = client.approval_requests(
        waiting=True, level=ALONE - 1, skill_id=which.skill, limit=_MOST, tenant_id=which.tenant
    )["requests"]
    if found:
        agree_to_all(found, verb)
    return found
