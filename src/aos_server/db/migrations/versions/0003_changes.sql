-- What every change writes. Functions, since Postgres keeps the plans of what stands in them from one transaction to the
-- next, which it can't for a statement that is never prepared. They run with the rights of who calls them: row-level
-- security and grants hold as before.

-- Take the key for this transaction: it, if it was free or older than a day. Waits for a transaction that has it.
CREATE FUNCTION claim_key(of_issuer text, of_subject text, claimed text, digest bytea) RETURNS SETOF text
    LANGUAGE plpgsql AS
$$
BEGIN
    RETURN QUERY INSERT INTO idempotency_keys AS k (tenant_id, issuer, subject, key, request_digest)
    VALUES (tenant(), of_issuer, of_subject, claimed, digest)
    ON CONFLICT (tenant_id, issuer, subject, key) DO UPDATE
    SET request_digest = EXCLUDED.request_digest, status = NULL, answer = NULL, created_at = EXCLUDED.created_at
    WHERE k.created_at < now() - interval '24 hours'
    RETURNING k.key;
END
$$;

-- Say what was done, tell whom it concerns, and keep the answer with the key that this transaction has taken, if any.
CREATE FUNCTION end_change(
    id uuid, of_issuer text, of_subject text, action text, object text, details jsonb,
    topics text[], payloads jsonb[], claimed text, given_status integer, given jsonb
) RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO audit (id, tenant_id, issuer, subject, action, object, details)
    VALUES (id, tenant(), of_issuer, of_subject, action, object, details);
    INSERT INTO outbox (id, tenant_id, topic, payload, audit_id)
    SELECT gen_random_uuid(), tenant(), topic, payload, end_change.id
    FROM unnest(topics, payloads) WITH ORDINALITY AS message (topic, payload, place) ORDER BY place;
    IF claimed IS NOT NULL THEN
        UPDATE idempotency_keys AS k SET status = given_status, answer = given
        WHERE k.tenant_id = tenant() AND k.issuer = of_issuer AND k.subject = of_subject AND k.key = claimed;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION claim_key, end_change FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_key, end_change TO aos_app;
