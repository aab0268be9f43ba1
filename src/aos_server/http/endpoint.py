"""An endpoint: what one method of one path takes, gives and asks of its caller; and the path that serves it."""

from asyncio import timeout
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from aos.errors import AosError
from aos.wire.strict import MAX_BYTES, MAX_NODES
from aos_server.http import bodies
from aos_server.http.answers import JSON, Answer, answer_of, send_answer
from aos_server.http.gate import Gate, Said, check_claims
from aos_server.http.models.base import Request
from aos_server.identity.authenticate import credentials
from aos_server.identity.caller import Act, Caller, Principal, require_level
from aos_server.services.changes import Given
from aos_server.services.idempotency import Key, key_of

__all__ = ["Call", "Endpoint", "Handler", "Resource"]

FORM = "application/x-www-form-urlencoded"
REQUEST_TIMEOUT_S = 30.0
MAX_ABOUT = 200
"""Characters of a path that the audit log has of a refusal."""

NOBODY = Caller(Principal("", ""), "", "machine")
"""The caller of what is open to everybody: it may do nothing else."""


class Call(NamedTuple):
    """A request that was let in. `query` and `body` are values of the endpoint's models."""

    caller: Caller
    path: Mapping[str, str]
    query: Any
    body: Any
    headers: Mapping[bytes, bytes]

    def key(self, method: str, path: str, said: Any = None) -> Key | None:
        """The request's Idempotency-Key, if it has one, for what it asks at that address: `said`, else its body."""
        header = self.headers.get(b"idempotency-key")
        if header is None:
            return None
        body = self.body.model_dump(mode="json") if said is None and self.body else said
        return key_of(header.decode("latin-1"), method, path, body)


Handler = Callable[[Call], Awaitable[Answer | Given | Mapping[str, Any] | bytes]]


class Nothing(Request):
    """A query string without parameters."""


class Endpoint(NamedTuple):
    """One line of the API. `act` None: open to everybody. `codes` are the errors it has besides those of every one.
    `again` is the status where it was done before, if that is another.

    What is `of_server` is no tenant's: a right within one is not enough. People need that `level` at least; machines
    have a scope. A body that is a `form` comes from a browser.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    gives: type[BaseModel] | None
    act: Act | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] = Nothing
    codes: Sequence[str] = ()
    status: int = 200
    again: int | None = None
    plan: bool = False
    media_type: str = "application/json"
    of_server: bool = False
    form: bool = False
    level: int = 0

    @property
    def problems(self) -> Sequence[str]:
        """Every code that it can answer."""
        found = ["method_not_allowed", "foreign_host", "invalid_request"]
        if self.body:
            found += ["unsupported_media_type", "too_large", "request_too_slow"]
        if self.act:
            found += [
                "unauthenticated",
                "authorization_denied",
                "rate_limited",
                "auth_unavailable",
                "unavailable",
            ]
        return [*found, *self.codes]

    @property
    def max_body(self) -> int:
        """Bytes that a body may have: a plan more than anything else, a decision less."""
        if self.plan:
            return MAX_BYTES
        return bodies.MAX_DECISION_BYTES if self.act == "decide" else bodies.MAX_BODY_BYTES

    @property
    def max_nodes(self) -> int:
        """Values that a body may have."""
        return MAX_NODES if self.plan else bodies.MAX_NODES


class Resource:
    """A path: its endpoints by method. An ASGI application; what goes wrong it raises as AosError.

    A handler has so many `seconds`.
    """

    def __init__(self, endpoints: Sequence[Endpoint], gate: Gate, seconds: float = REQUEST_TIMEOUT_S) -> None:
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        if "GET" in self._endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._gate = gate
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is None:
            scope["aos.told"]["Allow"] = allowed = ", ".join(self._endpoints)
            raise AosError("method_not_allowed", f"this address takes {allowed}")
        scope["aos.endpoint"] = endpoint
        call = await self._let_in(endpoint, scope, receive)
        try:
            async with timeout(self._seconds):
                answer = answer_of(await endpoint.handler(call), endpoint.status)
        except TimeoutError:
            detail = f"there was no answer after {self._seconds:g} s"
            raise AosError("not_computed", detail, retry_after_s=5) from None
        await send_answer(send, answer._replace(headers={**answer.headers, **scope["aos.told"]}))

    async def _let_in(self, endpoint: Endpoint, scope: Scope, receive: Receive) -> Call:
        if endpoint.act is None:
            headers = bodies.headers(scope["headers"])
            query = bodies.read_query(scope["query_string"], endpoint.query)
            body = self._fitted(endpoint, await self._stated(endpoint, receive, headers))
            return Call(NOBODY, scope.get("path_params", {}), query, body, headers)
        said: dict[str, Any] = {"method": endpoint.method, "route": endpoint.path}
        try:
            return await self._admitted(endpoint, endpoint.act, scope, receive, said)
        except AosError as error:
            if caller := scope.get("aos.caller"):
                about = next(iter(scope.get("path_params", {}).values()), endpoint.path)
                await self._gate.refuse(caller, about[:MAX_ABOUT], said, error)
            raise

    async def _admitted(
        self, endpoint: Endpoint, act: Act, scope: Scope, receive: Receive, told: dict[str, Any]
    ) -> Call:
        """The call of somebody who may make it. `told` gets what the caller claims of themselves."""
        headers, path = bodies.headers(scope["headers"]), scope.get("path_params", {})
        host, _ = scope.get("client") or ("", 0)
        given = credentials(scope["headers"], host)
        caller = await self._gate.known(given)
        if caller is not None:
            scope["aos.caller"] = caller
            caller = scope["aos.caller"] = await self._gate.admit(caller, act, scope["aos.told"], given)
        stated = await self._stated(endpoint, receive, headers)
        query = bodies.read_query(scope["query_string"], endpoint.query)
        said = Said.of(query.model_dump() if endpoint.body is None else stated)
        told |= said.claims
        if caller is None:
            self._fitted(endpoint, stated)  # who is believed has to have a name and a tenant that can be
            caller = scope["aos.caller"] = await self._gate.named(said, path)
            await self._gate.admit(caller, act, scope["aos.told"])
        check_claims(caller, said)
        require_level(caller, endpoint.level)
        if endpoint.of_server:
            await self._gate.admit_operator(caller)
        return Call(caller, path, query, self._fitted(endpoint, stated), headers)

    @staticmethod
    def _fitted(endpoint: Endpoint, stated: Any) -> Any:
        return None if endpoint.body is None else bodies.fitted(endpoint.body, stated, "body")

    @staticmethod
    async def _stated(endpoint: Endpoint, receive: Receive, headers: Mapping[bytes, bytes]) -> Any:
        if endpoint.body is None:
            return None
        bodies.check_media_type(headers, FORM if endpoint.form else JSON)
        raw = await bodies.read_body(receive, headers, endpoint.max_body)
        if endpoint.form:
            return bodies.read_form(raw, "form", endpoint.max_body)
        return bodies.parsed(raw, endpoint.max_body, endpoint.max_nodes)
