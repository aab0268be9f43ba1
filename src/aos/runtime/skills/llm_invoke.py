"""llm_invoke{prompt | messages, model?, max_tokens?} -> {text, usage}: an answer of a language model, and its price."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aos.domain.skills.skill import Skill
from aos.runtime.guards import GuardError
from aos.runtime.guards.http import Answer, Request, exchange, origin
from aos.runtime.guards.network import Network
from aos.runtime.guards.patience import Patience
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.answers import as_json, check_status
from aos.runtime.skills.registry import failed, limit
from aos.runtime.skills.world import ChatService, World
from aos.wire.prices import lookup

__all__ = ["implementation", "key", "price_cents"]

_PERHAPS_CHARGED = {"TIMEOUT", "CANCELLED", "CONNECTION", "BAD_REPLY", "REPLY_TOO_LARGE"}
"""The service may have answered, and counted it, where nobody could read the answer."""
_OVERLOADED = {503, 529}
_MAX_TOKENS = 1_000_000_000
"""No service counts more for one call; a figure beyond would use up any budget."""
_NO_MONEY = "insufficient_quota"
"""Says OpenAI with 429, and no waiting helps."""
_TOO_LONG = ("context_length_exceeded", "maximum context length", "context window", "too many tokens")


class _LlmInvoke(NamedTuple):
    network: Network
    secrets: Secrets
    chat: ChatService
    max_reply_bytes: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        model = params.get("model") or self.chat.model
        if not model:
            raise GuardError(
                "BAD_PARAMS", "name a model: in the step, or for all steps where the service is set up"
            )
        url = f"{self.chat.url.rstrip('/')}/chat/completions"
        request = Request("POST", url, self._headers(), self._body(params, model))
        patience = Patience(call.timeout_s, call.cancelled)
        try:
            answer = exchange(self.network, request, patience, max_bytes=self.max_reply_bytes)
            _check(answer)
            return _reply(as_json(answer.body), model, self.chat.provider)
        except GuardError as error:
            charged = error.code in _PERHAPS_CHARGED and error.effect != "none"
            return failed(error, effect="none", cost_cents=None if charged else Decimal(0))

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.chat.key:
            key = self.secrets.get(self.chat.key)
            if key is None:
                raise GuardError(
                    "SECRET_MISSING", f"there is no secret {self.chat.key!r}: the key of {self.chat.url}"
                )
            headers["Authorization"] = f"Bearer {key}"
        return headers

    def _body(self, params: Mapping[str, Any], model: str) -> bytes:
        messages = params.get("messages") or [{"role": "user", "content": params["prompt"]}]
        body = {"model": model, "messages": messages}
        if "max_tokens" in params:
            # OpenAI has renamed it and refuses the old name for newer models; the others have kept it.
            openai = origin(self.chat.url) == "https://api.openai.com"
            body["max_completion_tokens" if openai else "max_tokens"] = params["max_tokens"]
        try:
            return json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise GuardError("BAD_PARAMS", "the prompt holds half a character (a lone surrogate)") from None


def _check(answer: Answer) -> None:
    """Raises GuardError for a refusal; none of them is charged."""
    try:
        check_status(answer)
    except GuardError as error:
        said = answer.body[:4_000].decode("utf-8", "replace").lower()
        if answer.status in _OVERLOADED:
            error.code = "OVERLOADED"
        elif answer.status == 429 and _NO_MONEY in said:
            error.code, error.retry_after_ms = "HTTP_4XX", None
        elif answer.status == 413 or (answer.status == 400 and any(text in said for text in _TOO_LONG)):
            error.code = "CONTEXT_TOO_LONG"
        raise


def _reply(document: Any, model: str, provider: str | None) -> Reply:
    """What the service counts is known, and costs, even where it gives no text."""
    try:
        usage = document["usage"]
        read, written = usage["prompt_tokens"], usage["completion_tokens"]
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        message = document["choices"][0]["message"]
        text = message["content"]
    except (LookupError, TypeError, AttributeError):
        raise GuardError("BAD_REPLY", _other_form(document)) from None
    if not all(type(count) is int and 0 <= count <= _MAX_TOKENS for count in (read, written, cached)):
        raise GuardError("BAD_REPLY", "an answer whose usage is not counted in tokens")
    cost = price_cents(f"{provider}/{model}" if provider else model, read, written, cached)
    features = {"input_tokens": read, "output_tokens": written, "cached_tokens": cached}
    if not isinstance(text, str):
        said = f": {message['refusal']}" if message.get("refusal") else ""
        no_text = GuardError("BAD_REPLY", f"the model gave no text{said}")
        return failed(no_text, effect="none", cost_cents=cost)._replace(features=features)
    return Reply(
        {"text": text, "usage": {"input_tokens": read, "output_tokens": written}},
        cost_cents=cost,
        features=features,
    )


def _other_form(document: Any) -> str:
    if isinstance(document, dict) and document.get("error"):
        return f"no chat completion but an error: {json.dumps(document['error'], ensure_ascii=False)}"
    if isinstance(document, dict) and "choices" in document and not document.get("usage"):
        return "the answer says nothing of usage, so nobody knows what it cost"
    return "not the form of a chat completion with text and usage"


def price_cents(model: str, read: int, written: int, cached: int = 0) -> Decimal | None:
    """What that many tokens cost by the price table, `cached` of them at their own price; None: no price is known."""
    price = lookup(model)
    if price is None:
        return None
    per_input, per_output = price.rates(read)
    per_cached = price.cached_input_cents_per_mtok if not price.tiers else None
    cached = min(cached, read) if per_cached is not None else 0
    return ((read - cached) * per_input + cached * (per_cached or 0) + written * per_output) / 1_000_000


def implementation(skill: Skill, world: World) -> _LlmInvoke | None:
    """None where no service is set up. Limits: constraints.max_reply_bytes."""
    if world.chat is None:
        return None
    network = world.network.allowing(urlsplit(world.chat.url).hostname or "")
    return _LlmInvoke(network, world.secrets, world.chat, limit(skill, "max_reply_bytes", 10 * 1024 * 1024))


def key(params: Mapping[str, Any], world: World) -> str | None:
    """The secret that is the service's key."""
    return world.chat.key if world.chat else None
