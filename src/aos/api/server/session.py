"""Talking to a server from this machine: which one, as whom; logging in and out."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, NamedTuple

from aos.domain.forecasts.verdicts import Limits
from aos.errors import AosError, InputError
from aos.files.contexts import Context, Contexts, check_name, read_contexts, write_contexts
from aos.files.sources import read_document
from aos.files.tokens import Kept, Place, forget_token, keep_token, kept_token
from aos.sdk.client import DEFAULT_URL, Client
from aos.sdk.core import Document, findings
from aos.sdk.device import Grant, Provider, Tokens
from aos.wire.problems import visible
from aos.wire.shape import Reader

__all__ = [
    "DEFAULT_CONTEXT",
    "Login",
    "Session",
    "Told",
    "decide_there",
    "log_in",
    "log_out",
    "session",
    "simulate_there",
]

DEFAULT_CONTEXT = "default"
_EARLY_S = 30.0  # a token is renewed so long before it ends


class Session(NamedTuple):
    """A server to talk to; `context` is None where none was used. Close the client."""

    client: Client
    url: str
    context: str | None


class Login(NamedTuple):
    """A login that the server accepted: where it is kept, and whom the server takes its bearer for."""

    context: Context
    place: Place
    expires_at_s: float | None
    whoami: Document


def session(server: str | None = None, context: str | None = None) -> Session:
    """The server named, or that of AOS_BASE_URL, of the context, of this machine; in this order.

    A token goes to the server of its context and nowhere else; AOS_API_KEY takes its place. Raises AosError: usage for
    a context that there is not, and what a token that must be renewed may raise.
    """
    known = read_contexts()
    meant = _meant(known, context)
    url = (
        server
        or (None if context else os.environ.get("AOS_BASE_URL"))
        or (meant.server if meant else DEFAULT_URL)
    )
    if meant is None or not _same(meant.server, url):
        return Session(Client(url), url, None)
    if os.environ.get("AOS_API_KEY"):
        return Session(Client(url), url, meant.name)
    return Session(Client(url, token=_token(meant)), url, meant.name)


class Told(NamedTuple):
    """A document, and the server that it is from."""

    document: Document
    url: str


def simulate_there(
    server: str,
    source: str,
    inputs: Mapping[str, Any],
    asked: Limits,
    *,
    samples: int,
    seed: int,
    agent: str | None,
    tenant: str | None,
) -> Told:
    """Let a server simulate the plan at `source` (as for `load_plan`), which is sent as it stands.

    Raises InputError(invalid_plan) with what the server finds wrong in it, and what a call may raise.
    """
    plan: Any = read_document(source, code="invalid_plan").value
    there = session(server)
    with there.client as client:
        told = client.simulate(
            plan,
            inputs=inputs or None,
            samples=samples,
            seed=seed,
            agent_id=agent,
            tenant_id=tenant,
            **asked._asdict(),
        )
    if told["status"] == "invalid_plan":
        raise InputError.of("invalid_plan", "plan", findings(told["errors"]))
    return Told(told, there.url)


def decide_there(
    server: str, source: str, inputs: Mapping[str, Any], agent: str | None, tenant: str | None
) -> Told:
    """Let a server decide on the plan at `source` (as for `load_plan`), which is sent as it stands.

    Raises what a call may raise; a plan with something wrong in it is denied, with what it is.
    """
    plan: Any = read_document(source, code="invalid_plan").value
    there = session(server)
    with there.client as client:
        said = client.policy_eval(plan=plan, inputs=inputs or None, agent_id=agent, tenant_id=tenant)
    return Told(said, there.url)


def log_in(
    context: Context,
    *,
    token: str | None = None,
    show: Callable[[Grant], None] = lambda _: None,
) -> Login:
    """Log in at the context's server, make it the current one, keep the token.

    With a `token` given that one is kept; else a person logs in at the issuer, whose address and code go to `show`.
    Where the context names no issuer, the server does. Nothing is kept that the server refuses. Raises AosError.
    """
    check_name(context.name)
    if token is None and context.issuer is None:
        context = _discovered(context)
    kept = Kept(token) if token is not None else _device_flow(context, show)
    with Client(context.server, token=kept.access) as client:
        whoami = client.whoami()
    known = read_contexts()
    place = keep_token(context.name, kept)
    write_contexts(Contexts(context.name, {**known.by_name, context.name: context}))
    return Login(context, place, kept.expires_at_s, whoami)


def log_out(context: str | None = None) -> str | None:
    """Forget the token of a context, and tell its issuer; the context's name, or None where nobody was logged in."""
    meant = _meant(read_contexts(), context)
    kept = kept_token(meant.name) if meant else None
    if meant is None or kept is None:
        return None
    forget_token(meant.name)
    if kept.refresh and meant.issuer:
        with closing(_provider(meant)) as provider, suppress(AosError):
            provider.revoke(kept.refresh)  # or it is forgotten here, and ends by itself there
    return meant.name


def _meant(known: Contexts, name: str | None) -> Context | None:
    wanted = name or known.current
    if wanted is None:
        return None
    if wanted not in known.by_name:
        there = ", ".join(known.by_name) or "none"
        raise AosError(
            "usage",
            f'there is no context "{wanted}"',
            fix=f"Those there are: {there}. `aos login` makes one.",
        )
    return known.by_name[wanted]


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _token(context: Context) -> str | None:
    """The token of a context, renewed where it is about to end and can be."""
    kept = kept_token(context.name)
    if kept is None:
        return None
    ends = kept.expires_at_s is not None and kept.expires_at_s - _EARLY_S < time.time()
    if ends and kept.refresh and context.issuer:
        with closing(_provider(context)) as provider:
            kept = _kept(provider.refresh(kept.refresh))
        keep_token(context.name, kept)
    return kept.access


def _discovered(context: Context) -> Context:
    """The context with the issuer and the audience that its server names. Raises AosError."""
    with Client(context.server) as client:
        try:
            told = client.protected_resource()
        except AosError as error:
            if error.code != "not_found":
                raise
            raise AosError("usage", "the server does not say where people log in", fix=_BY_HAND) from None
    reader = Reader()
    fields = reader.obj(dict(told), "", required=("resource", "authorization_servers", "aos_audience"))
    resource = reader.text(fields["resource"], "/resource", "")
    issuers = reader.texts(fields["authorization_servers"], "/authorization_servers", max_len=10)
    audience = reader.text(fields["aos_audience"], "/aos_audience", "")
    reader.raise_if_any("unexpected_answer", "the server's word on where people log in")
    if not issuers or not _same(resource, context.server):
        detail = f"the server speaks for {visible(resource)}, not for {context.server}"
        raise AosError("unexpected_answer", detail, fix=_BY_HAND)
    return context._replace(issuer=issuers[0], audience=context.audience or audience)


_BY_HAND = "Give --issuer and --audience, or a token with --token-stdin."


def _device_flow(context: Context, show: Callable[[Grant], None]) -> Kept:
    with closing(_provider(context)) as provider:
        grant = provider.start()
        show(grant)
        return _kept(provider.wait(grant))


def _provider(context: Context) -> Provider:
    assert context.issuer is not None
    return Provider(context.issuer, context.client_id, context.audience)


def _kept(tokens: Tokens) -> Kept:
    ends = None if tokens.expires_in_s is None else time.time() + tokens.expires_in_s
    return Kept(tokens.access, tokens.refresh, ends)
