-- name: ensure
-- The tenant that the transaction is of exists from now on.
INSERT INTO tenants (id) VALUES (tenant()) ON CONFLICT DO NOTHING;
