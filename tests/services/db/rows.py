"""Every table and view that has a tenant, and a row of each."""

TENANT_TABLES = (
    *("subjects", "roles", "service_keys", "catalogs", "budgets", "permissions", "runs"),
    *("policy_versions", "policy_activations"),
    *("idempotency_keys", "audit", "outbox"),
    *("requests", "request_documents", "request_decisions", "request_reviews", "request_uses"),
    *("webhooks", "deliveries", "delivery_attempts"),
    "sessions",
    *(
        f"archive.{name}"
        for name in ("requests", "request_documents", "request_decisions", "request_reviews")
    ),
    *("archive.request_uses", "archive.runs"),
    *("all_approval_requests", "all_request_documents", "all_request_decisions", "all_request_reviews"),
    *("all_request_uses", "all_runs"),
)


# One row of each table for the tenant %(t)s, as a superuser writes it.
ROWS = """
INSERT INTO tenants VALUES ('{t}');
INSERT INTO subjects VALUES ('{t}', 'iss', 'sub', 'human');
INSERT INTO roles VALUES ('{t}', 'iss', 'sub', 'owner', 'sub');
INSERT INTO service_keys VALUES ('{k}', '{t}', 'ci', sha256('{t}'), '{{read}}', 'iss', 'sub', 5, gen_random_uuid());
INSERT INTO catalogs VALUES ('{t}', '{{}}', 'd', gen_random_uuid());
INSERT INTO budgets VALUES ('{t}', '', 5, 0, 0, gen_random_uuid());
INSERT INTO permissions VALUES ('{t}', '', '*', true, gen_random_uuid());
INSERT INTO runs VALUES ('{t}', 'r1', '', 'succeeded', 'd', 0, 0, now(), now(), 'd', '{{}}', gen_random_uuid());
INSERT INTO policy_versions VALUES ('{t}', 1, 'd', 'd', '{{}}', '', 'iss', 'sub', gen_random_uuid());
INSERT INTO policy_activations VALUES ('{t}', 1, 1, '', 'iss', 'sub', gen_random_uuid());
INSERT INTO idempotency_keys VALUES ('{t}', 'iss', 'sub', 'k', 'd', 200, '{{}}');
INSERT INTO audit VALUES (gen_random_uuid(), '{t}', now(), 'iss', 'sub', 'act', 'object');
INSERT INTO outbox (id, tenant_id, topic, payload, audit_id)
    VALUES (gen_random_uuid(), '{t}', 't', '{{}}', gen_random_uuid());
INSERT INTO requests (id, tenant_id, status, required_level, min_approvals, policy_type, requester_issuer,
        requester_subject, justification, digest, uses, expires_at, audit_id)
    VALUES ('{u}', '{t}', 'pending', 3, 1, 'cost', 'iss', 'sub', '', 'd', 1, now() + '1 h', gen_random_uuid());
INSERT INTO request_documents VALUES ('{u}', '{t}', '{{}}', gen_random_uuid());
INSERT INTO request_decisions VALUES ('{u}', '{t}', 'iss', 'sub', 'approve', 3, false, '', now(), gen_random_uuid());
INSERT INTO request_reviews (request_id, tenant_id, breaker_issuer, breaker_subject, audit_id)
    VALUES ('{u}', '{t}', 'iss', 'sub', gen_random_uuid());
INSERT INTO request_uses VALUES ('{u}', 1, '{t}', 'iss', 'sub', 'r1', now(), gen_random_uuid());
INSERT INTO webhooks (id, tenant_id, url, topics, created_issuer, created_by, audit_id)
    VALUES ('wh_{k}', '{t}', 'https://a.example', '{{*}}', 'iss', 'sub', gen_random_uuid());
INSERT INTO deliveries (tenant_id, webhook_id, message_id, sequence)
    SELECT '{t}', 'wh_{k}', id, 1 FROM outbox WHERE tenant_id = '{t}';
INSERT INTO delivery_attempts (tenant_id, delivery_id, ms) SELECT '{t}', id, 5 FROM deliveries WHERE tenant_id = '{t}';
INSERT INTO sessions VALUES (sha256('{t}'), '{t}', 'iss', 'sub', sha256('{t}'), gen_random_uuid(), now(), now(),
    now() + '1 h');
INSERT INTO archive.requests SELECT * FROM requests WHERE tenant_id = '{t}';
INSERT INTO archive.request_documents SELECT * FROM request_documents WHERE tenant_id = '{t}';
INSERT INTO archive.request_decisions SELECT * FROM request_decisions WHERE tenant_id = '{t}';
INSERT INTO archive.request_reviews SELECT * FROM request_reviews WHERE tenant_id = '{t}';
INSERT INTO archive.request_uses SELECT * FROM request_uses WHERE tenant_id = '{t}';
INSERT INTO archive.runs SELECT * FROM runs WHERE tenant_id = '{t}';
"""
