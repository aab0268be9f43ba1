"""The application: everything that it is made of, put together."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial

from starlette.routing import Router
from starlette.types import ASGIApp

from aos.errors import AosError
from aos.runtime.guards.network import Network
from aos_server import logs
from aos_server.db.pool import Database
from aos_server.http.edge import Edge
from aos_server.http.gate import Gate, Identifies
from aos_server.http.handlers.archive import ArchiveCalls
from aos_server.http.handlers.audit import AuditLog
from aos_server.http.handlers.backups import BackupCalls
from aos_server.http.handlers.health import Check, Operations
from aos_server.http.handlers.keys import KeyCalls
from aos_server.http.handlers.people import LoginAt, People
from aos_server.http.handlers.policy import Policy
from aos_server.http.handlers.policy_versions import PolicyVersions
from aos_server.http.handlers.requests import ApprovalRequests
from aos_server.http.handlers.runs import RunRecords
from aos_server.http.handlers.runtime import Runtime
from aos_server.http.handlers.webhooks import WebhookCalls
from aos_server.http.routes.table import Handlers, endpoints, router
from aos_server.identity.auth_service import AuthService
from aos_server.identity.authenticate import Identity
from aos_server.identity.browsers.login import CodeFlow, WebClient
from aos_server.identity.issuers import Issuer, IssuerClient
from aos_server.identity.remote import Remote
from aos_server.identity.service_keys import ServiceKeys
from aos_server.jobs.worker import working
from aos_server.keystores import open_backend
from aos_server.keystores.backend import Backend
from aos_server.keystores.keyring import Keyring
from aos_server.limits.matrix import Traffic
from aos_server.limits.rates import Rates
from aos_server.services import clock
from aos_server.services.archive import NEVER, Archive, Retention, retention
from aos_server.services.audit.checkpoints import verifier
from aos_server.services.audit.log import Log
from aos_server.services.backups.orders import Orders, lately
from aos_server.services.operators import Operators
from aos_server.services.policy.evaluations import Evaluations
from aos_server.services.policy.replays import Replays
from aos_server.services.policy.versions import Versions
from aos_server.services.refusals import Refusals
from aos_server.services.requests import counts
from aos_server.services.requests.create import Desk
from aos_server.services.requests.reads import tenant_of
from aos_server.services.runtime.runs import Runs
from aos_server.services.service_keys import StoredKeys
from aos_server.services.tenants import Free, Stored, Tenants
from aos_server.services.webhooks.endpoints import Webhooks
from aos_server.services.webhooks.keys import KeyService
from aos_server.services.webhooks.targets import network_of
from aos_server.services.workers import Workers
from aos_server.settings import Audited, Auth, Keys, Limits, Settings, read
from aos_server.web.login import SamplePeople
from aos_server.web.routes import CALLBACK, Door, open_inbox
from aos_server.web.site import Site

__all__ = ["application", "from_environment", "served"]

_log = logging.getLogger(__name__)

COMPUTE_S = 25.0
"""How long a plan may be computed: less than a request may take."""


def from_environment() -> ASGIApp:
    """What `aos-server serve` serves: uvicorn calls it in each of its processes."""
    logs.configure(plain=False)
    return served(read(os.environ, "serve"))


def served(settings: Settings, worker: Settings | None = None, sample: SamplePeople | None = None) -> ASGIApp:
    """The server of these settings. What it is connected to is opened and closed with its lifespan.

    With the settings of a `worker`, that works beside it: in development, where one process is all there is, and where
    `sample` people log in to the inbox.
    """

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with opened(settings, sample) as app, working(worker) if worker else nullcontext():
            outer.default = app
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    return outer


@asynccontextmanager
async def opened(settings: Settings, sample: SamplePeople | None = None) -> AsyncIterator[ASGIApp]:
    """The server with everything that it is connected to."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database.open(settings.database.url, settings.database.pool_size)
        )
        remote = Remote(settings.auth.service_timeout_s)
        stack.push_async_callback(remote.close)
        rates = _rates(settings.limits)
        if rates is not None:
            stack.push_async_callback(rates.close)
        workers = Workers(max(2, os.cpu_count() or 2), COMPUTE_S)
        await workers.start()
        identity = _identity(settings.auth, remote, StoredKeys(database))
        yield application(
            identity,
            workers=workers,
            runs=Runs(database),
            database=database,
            tenants=Stored(database),
            versions=Versions(database, workers),
            audit=Log(database, verifier(settings.audit.public_key) if settings.audit.public_key else None),
            webhooks=Webhooks(database, network_of(settings.webhook_hosts)),
            keys=await asyncio.to_thread(loaded, settings.keys),
            keystore=_keystore(settings.keys),
            rates=rates,
            hosts=settings.hosts,
            trusting=settings.process == "dev",
            operating_tenant=settings.operating_tenant,
            audited=settings.audit.evaluations,
            archived=retention(*settings.archiving),
            login=LoginAt(settings.auth.issuer, settings.auth.audience) if settings.auth.issuer else None,
            needed={"database": _answers(database), "auth": identity.can_decide},
            wanted={
                **({"redis": _counts(rates)} if rates and settings.limits.redis_url else {}),
                "backup": _backed_up(database),
            },
            inbox=_inbox(settings, remote, sample),
        )


def application(
    identity: Identifies,
    *,
    workers: Workers | None = None,
    runs: Runs,
    database: Database | None = None,
    tenants: Tenants | None = None,
    versions: Versions | None = None,
    audit: Log | None = None,
    webhooks: Webhooks | None = None,
    keys: Keyring | None = None,
    keystore: Backend | None = None,
    rates: Rates | None = None,
    hosts: Collection[str] = (),
    trusting: bool = False,
    operating_tenant: str = "",
    audited: Audited = "none",
    archived: Retention = NEVER,
    login: LoginAt | None = None,
    needed: Mapping[str, Check] = {},
    wanted: Mapping[str, Check] = {},
    inbox: Door | None = None,
) -> ASGIApp:
    """The server, of parts. Those that are left out are such as need nothing."""
    workers, tenants = workers or Workers(2, COMPUTE_S), tenants or Free()
    network = webhooks.network if webhooks else Network()
    desk = Desk(database, workers, tenants, trusting, network) if database else None
    people = People(identity, login)
    figures = [partial(ask, database) for ask in (counts.refresh, clock.measure)] if database else []
    handlers = Handlers(
        Operations(needed, wanted, figures),
        Runtime(workers, tenants, runs),
        Policy(workers, tenants, Evaluations(database, audited) if database else None),
        PolicyVersions(
            versions, tenants, Replays(database, workers, versions) if database and versions else None
        ),
        RunRecords(runs),
        people,
        AuditLog(audit),
        ApprovalRequests(desk, identity, inbox.site.origin if inbox else ""),
        WebhookCalls(webhooks, keys, keystore),
        KeyCalls(KeyService(database, keystore) if database and keystore else None),
        ArchiveCalls(Archive(database, archived) if database else None),
        BackupCalls(Orders(database) if database else None),
    )
    gate = Gate(
        identity,
        rates,
        trusting=trusting,
        refusals=Refusals(database) if database else None,
        homes={"request_id": partial(tenant_of, database)} if database else {},
        operators=Operators(database, operating_tenant) if database and not trusting else None,
    )
    pages = open_inbox(desk, gate, identity, inbox) if desk and inbox else ()
    return Edge(router(endpoints(handlers), gate, pages), hosts, people.challenge)


def loaded(settings: Keys) -> Keyring | None:
    """The keys that sign webhooks; None where there are none yet, or nobody can say."""
    try:
        return Keyring(open_backend(settings), datetime.now(UTC))
    except AosError as error:
        _log.warning("webhooks: %s: %s", error.code, error.detail)
        return None


def _keystore(settings: Keys) -> Backend | None:
    """Where keys are changed; None where what it takes is not installed."""
    try:
        return open_backend(settings)
    except AosError:  # `loaded` has said it
        return None


def _identity(auth: Auth, remote: Remote, keys: ServiceKeys) -> Identity:
    client = IssuerClient(auth.client_id, auth.client_secret) if auth.client_id else None
    issuers = [Issuer(auth.issuer, auth.audience, client=client)] if auth.issuer else []
    service = AuthService(auth.service_url, auth.service_key or None, remote) if auth.service_url else None
    return Identity(issuers, remote, auth_service=service, keys=keys, unrestricted=not auth.enabled)


def _inbox(settings: Settings, remote: Remote, sample: SamplePeople | None) -> Door | None:
    """The way in to the inbox; None where nobody could log in."""
    web, auth = settings.web, settings.auth
    if sample is not None:
        return Door(Site(), sample=sample)
    if not web.client_id:
        return None
    client = WebClient(auth.issuer, auth.audience, web.client_id, web.client_secret, web.url + CALLBACK)
    return Door(Site(web.url), CodeFlow(client, remote))


def _rates(limits: Limits) -> Rates | None:
    if not limits.enabled:
        return None
    per_minute: dict[Traffic, int] = {
        "evaluate": limits.evaluate_rpm,
        "decide": limits.decide_rpm,
        "create": limits.create_rpm,
        "read": limits.read_rpm,
    }
    return Rates(limits.redis_url or None, per_minute)


def _counts(rates: Rates) -> Check:
    async def check() -> bool:
        return not rates.degraded

    return check


def _backed_up(database: Database) -> Check:
    """Whether a good backup is there that is not old. Where the database is gone, that is said already."""

    async def check() -> bool | None:
        try:
            return await lately(database)
        except AosError:
            return None

    return check


def _answers(database: Database) -> Check:
    """Whether the database is there and as it must be. It may have been down when the server started."""
    fit = False

    async def check() -> bool:
        nonlocal fit
        try:
            await database.ready()
            fit = fit or not await database.excess("serve")
        except AosError:
            return False
        return fit

    return check
