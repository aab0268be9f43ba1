"""The named queries: each may be executed by the role that needs it, and the hot ones read no whole table."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import tuple_row

from aos_server.db import queries
from aos_server.db.queries import sql

NAMES = sorted(queries._all())
FOLDER = Path(queries.__file__).parent / "sql"
# What only the worker does; everything else is done by the role that answers requests.
WORKERS = {
    *(
        "sessions.forget",
        "idempotency.forget",
        "outbox.spread",
        "outbox.forget",
        "webhooks.forget",
        "audit.pending",
    ),
    *("audit.place", "audit.checkpoint", "audit.strays"),
    *("deliveries.claim", "deliveries.settle", "deliveries.release", "deliveries.standing"),
    *("audit.standing",),
    *("jobs.reap", "jobs.bury", "jobs.release", "jobs.standing", "jobs.forget"),
    *("jobs.finish", "jobs.hold", "jobs.retry"),
    *(
        "archive.tenants",
        "archive.requests",
        "archive.runs",
        "archive.forget_requests",
        "archive.forget_runs",
    ),
    *("orders.take", "orders.end", "orders.see"),
}
# What the server may do, too: these show it nothing that it would not see in another way.
BOTH = {
    "audit.checkpoint",
    "webhooks.forget",
    "sessions.forget",
    "deliveries.claim",
    "deliveries.release",
    "deliveries.standing",
}
ID = {"id": "00000000-0000-0000-0000-000000000000"}
PLACE = {"limit": 51, "before_at": "2026-11-26T00:00:00Z", "before_id": ID["id"]}
NO_FILTER = dict.fromkeys(("status", "skill", "plan", "level", "waiting"))
EVERY = {
    **PLACE,
    **NO_FILTER,
    "mine": False,
    "granted": False,
    "settled": False,
    "issuer": "iss",
    "subject": "s7",
}
ALSO_WORKERS = {
    *("requests.overdue", "requests.stuck", "requests.standing"),
    *("outbox.standing", "webhooks.unaccepted", "session.clock"),
}  # the server may ask, too, and sees one tenant
# After the name may stand what is special about the values.
HOT: dict[str, dict[str, object]] = {
    "audit.page": {"limit": 50, "before_at": None, "before_id": None, "object": None},
    "audit.exists": {"id": "00000000-0000-0000-0000-000000000000"},
    "audit.latest": {},
    "audit.pending": {"limit": 500},
    "idempotency.get": {"issuer": "iss", "subject": "s7", "key": "k7"},
    "keys.find": {"id": "a" * 16},
    "policies.active": {},
    "policies.get": {"version": 7},
    "policies.page": {"limit": 50, "before": None},
    "policies.text": {"files_digest": "d7"},
    "requests.lock": {**ID},
    "requests.archived": {**ID},
    "requests.votes": {**ID},
    "requests.get": {**ID},
    "requests.page": {**EVERY},
    "requests.page waiting": {**EVERY, "waiting": 3},
    "requests.page skill": {**EVERY, "skill": "k7"},
    "requests.page plan": {**EVERY, "plan": "p7", "granted": True},
    "requests.page mine": {**EVERY, "mine": True},
    "requests.page rejected": {**EVERY, "status": "rejected"},
    "requests.page settled": {**EVERY, "settled": True},
    "requests.urgent": {**EVERY, "after_at": None, "after_id": None},
    "requests.urgent waiting": {**EVERY, "waiting": 3, "after_at": None, "after_id": None},
    "requests.headlines": {"ids": [ID["id"]], "most": 1000},
    "requests.page_unreviewed": {**PLACE},
    "requests.overdue": {"limit": 50},
    "requests.stuck": {"limit": 50},
    "sessions.find": {"sha256": b""},
    "sessions.of": {"issuer": "iss", "subject": "s7"},
    "deliveries.attempts": {"id": "00000000-0000-0000-0000-000000000000"},
    "deliveries.claim": {
        "webhooks": 20,
        "each": 20,
        "of_tenant": 10,
        "busy": [],
        "tenants": [],
        "served": [],
        "start": "wh_k",
        "lease": "1 min",
    },
    "deliveries.page": {
        "webhook": "wh_aaaaaaaaaaaaaaa2",
        "state": None,
        "before_at": None,
        "before_id": None,
        "limit": 50,
    },
    "outbox.spread": {"limit": 500},
    "webhooks.arrived_since": {"id": "wh_aaaaaaaaaaaaaaa2", "period": "3 days"},
    "runs.get": {"id": "r7"},
    "runs.page": {"limit": 50, "agent": None, "before_at": None, "before_id": None},
}
FILL = """
SET session_replication_role = replica;
INSERT INTO runs SELECT 't' || n % 50, 'r' || n, '', 'succeeded', 'd', 0, 0, now() - n * interval '1 s', now(), 'd',
    '{}', gen_random_uuid() FROM generate_series(1, 5000) n;
INSERT INTO audit SELECT gen_random_uuid(), 't' || n % 50, now() - n * interval '1 s', 'iss', 's', 'act', 'o' || n
    FROM generate_series(1, 5000) n;
INSERT INTO audit_leaves SELECT row_number() OVER () - 1, id, sha256('x') FROM audit;
INSERT INTO audit_checkpoints SELECT n, sha256('x'), '{}', '' FROM generate_series(1, 5000) n;
INSERT INTO policy_versions SELECT 't' || n % 50, n, 'd', 'd' || n, '{}', '', 'iss', 's', gen_random_uuid()
    FROM generate_series(1, 5000) n;
INSERT INTO policy_activations SELECT 't' || n % 50, n, n, '', 'iss', 's', gen_random_uuid()
    FROM generate_series(1, 5000) n;
INSERT INTO idempotency_keys SELECT 't' || n % 50, 'iss', 's' || n, 'k' || n, 'd', 200, '{}'
    FROM generate_series(1, 5000) n;
INSERT INTO sessions SELECT sha256(n::text::bytea), 't' || n % 50, 'iss', 's' || n, sha256('x'), gen_random_uuid(),
    now(), now(), now() + interval '1 h' FROM generate_series(1, 5000) n;
INSERT INTO outbox (id, tenant_id, topic, payload, audit_id, spread_at) SELECT gen_random_uuid(), 't1', 't', '{}',
    gen_random_uuid(), now() FROM generate_series(1, 5000) n;
INSERT INTO webhooks (id, tenant_id, url, topics, created_issuer, created_by, audit_id)
    SELECT 'wh_aaaaaaaaaaaaaa' || chr(97 + n / 26) || chr(97 + n % 26), 't' || n % 50, 'https://a.example', '{*}',
    'iss', 's', gen_random_uuid() FROM generate_series(1, 200) n;
INSERT INTO deliveries (tenant_id, webhook_id, message_id, sequence, state, ended_at)
    SELECT 't1', 'wh_aaaaaaaaaaaaaaaa', id, sequence, 'delivered', now() FROM outbox;
INSERT INTO delivery_attempts (tenant_id, delivery_id, ms, status) SELECT 't1', id, 1, 204 FROM deliveries;
INSERT INTO requests (id, tenant_id, status, required_level, min_approvals, policy_type, requester_issuer,
    requester_subject, justification, digest, uses, created_at, expires_at, escalates_at, audit_id)
    SELECT gen_random_uuid(), 't' || n % 50, CASE n % 9 WHEN 0 THEN 'pending' WHEN 1 THEN 'rejected' ELSE 'expired' END,
    3, 1, 'cost', 'iss', 's' || n % 99, '', 'd', 1, now() - n * interval '1 s', now() + n * interval '1 s',
    now() + n * interval '1 s', gen_random_uuid() FROM generate_series(1, 5000) n;
INSERT INTO request_documents SELECT id, tenant_id, '{}', audit_id FROM requests;
INSERT INTO request_decisions SELECT id, tenant_id, 'iss', 's', 'reject', 3, false, '', now(), audit_id FROM requests;
INSERT INTO request_reviews SELECT id, tenant_id, 'iss', 's' || audit_id, 'justified', 'iss', 's', '', now(), audit_id
    FROM requests;
INSERT INTO request_uses SELECT id, 1, tenant_id, 'iss', 's', 'r', now(), audit_id FROM requests;
INSERT INTO archive.requests SELECT * FROM requests;
INSERT INTO archive.request_documents SELECT * FROM request_documents;
INSERT INTO archive.request_decisions SELECT * FROM request_decisions;
INSERT INTO archive.request_reviews SELECT * FROM request_reviews;
INSERT INTO archive.request_uses SELECT * FROM request_uses;
INSERT INTO archive.runs SELECT * FROM runs;
ANALYZE
"""


@pytest.fixture(scope="module")
def filled(new_base) -> Iterator[psycopg.Connection[tuple[str]]]:
    base = new_base()
    base.server.execute(FILL, base.name)
    with psycopg.connect(base.url("root"), row_factory=tuple_row, prepare_threshold=None) as connection:
        yield connection


def plan(connection: psycopg.Connection[tuple[str]], role: str, name: str, values: dict[str, object]) -> str:
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET LOCAL ROLE {role}")
        connection.execute("SELECT set_config('aos.tenant', 't7', true)")
        return "\n".join(row[0] for row in connection.execute(f"EXPLAIN {sql(name)}", values))


@pytest.mark.parametrize("name", NAMES)
def test_the_role_that_needs_a_query_may_execute_it(filled, name):
    role = "aos_backup" if name.startswith("backups.") else "aos_worker" if name in WORKERS else "aos_app"
    plan(filled, role, name, defaultdict(lambda: None))


@pytest.mark.parametrize("name", sorted(WORKERS - BOTH))
def test_what_only_the_worker_does_the_server_may_not(filled, name):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        plan(filled, "aos_app", name, defaultdict(lambda: None))


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_reads_no_whole_table(filled, name):
    values, name = HOT[name], name.partition(" ")[0]
    found = plan(filled, "aos_worker" if name in WORKERS | ALSO_WORKERS else "aos_app", name, values)
    assert not re.search(r"Seq Scan on (?!audit_pending|webhooks)", found), found


def test_every_block_has_a_name_of_its_own():
    assert sum(text.count("-- name: ") for text in map(Path.read_text, FOLDER.glob("*.sql"))) == len(NAMES)
