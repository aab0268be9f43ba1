"""http_call{url, method?, headers?, body?, timeout_s?} -> {status, headers, body}."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from aos.domain.runs.outcomes import SideEffect
from aos.domain.skills.skill import Skill
from aos.runtime.guards import GuardError
from aos.runtime.guards.answers import AnswerCache, conditional
from aos.runtime.guards.http import SAFE_METHODS, Request, exchange, origin
from aos.runtime.guards.network import Network
from aos.runtime.guards.patience import Patience
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.answers import body_of, check_status
from aos.runtime.skills.registry import failed, limit
from aos.runtime.skills.world import World

__all__ = ["implementation"]

_REPEATS_COUNT = {"POST", "PATCH"}
"""Methods that do twice what is asked twice (RFC 9110, section 9.2.2)."""


class _HttpCall(NamedTuple):
    network: Network
    max_reply_bytes: int
    max_redirects: int
    answers: AnswerCache | None

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        request = _request(params, call)
        reads = request.method in SAFE_METHODS
        kept = self.answers.find(request) if self.answers else None
        try:
            answer = exchange(
                self.network,
                conditional(request, kept),
                Patience(min(call.timeout_s, params.get("timeout_s", call.timeout_s)), call.cancelled),
                max_bytes=self.max_reply_bytes,
                max_redirects=self.max_redirects,
            )
            hit = kept is not None and answer.status == 304
            answer = kept if kept and hit else answer
            check_status(answer)
            result = {"status": answer.status, "headers": dict(answer.headers), "body": body_of(answer)}
        except GuardError as error:
            return failed(error, effect="none" if reads else error.effect)
        if self.answers:
            self.answers.keep(request, answer)
        if reads:
            return Reply(result, effect="none", cache_hit=hit)
        done = SideEffect("http.request", f"{request.method} {origin(request.url)}", reversible=False)
        return Reply(result, side_effects=(done,))


def _request(params: Mapping[str, Any], call: Call) -> Request:
    method = params.get("method", "GET")
    headers = dict(params.get("headers", {}))
    given = {name.lower() for name in headers}
    body = params.get("body")
    if body is not None and "content-type" not in given:
        headers["Content-Type"] = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    if method in _REPEATS_COUNT and "idempotency-key" not in given:
        headers["Idempotency-Key"] = call.key
    return Request(method, params["url"], headers, None if body is None else _packed(body))


def _packed(body: Any) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise GuardError("BAD_PARAMS", "the body holds half a character (a lone surrogate)") from None


def implementation(skill: Skill, world: World) -> _HttpCall:
    """Limits: constraints.max_reply_bytes and constraints.max_redirects."""
    max_bytes, redirects = limit(skill, "max_reply_bytes", 10 * 1024 * 1024), limit(skill, "max_redirects", 0)
    return _HttpCall(world.network, max_bytes, redirects, world.answers)
