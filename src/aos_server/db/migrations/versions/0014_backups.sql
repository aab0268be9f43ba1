-- Backups, over the API. Which there are their folder says, which the server does not see: whoever reads it reads every
-- tenant. A worker leaves here what it saw there, in one row, and takes what somebody asked for. Backups are of no tenant;
-- `asked_in` is where the audit log tells of it.
CREATE TABLE backup_folder (
    here boolean PRIMARY KEY DEFAULT true CHECK (here),
    backups jsonb NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE backup_orders (
    id uuid PRIMARY KEY,
    asked_in tenant_id NOT NULL,
    action text NOT NULL CHECK (action IN ('create', 'verify')),
    backup text NOT NULL CHECK (backup ~ '^\d{8}T\d{6}Z-[0-9a-f]{6}$'), -- the name that it has or will have
    asked_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    code text, -- why it failed
    detail text,
    audit_id uuid NOT NULL
);
CREATE UNIQUE INDEX backup_orders_open ON backup_orders ((true)) WHERE ended_at IS NULL;
CREATE INDEX backup_orders_newest ON backup_orders (backup, asked_at DESC);

ALTER TABLE backup_folder ENABLE ROW LEVEL SECURITY;
ALTER TABLE backup_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY every ON backup_folder TO aos_app, aos_worker USING (true) WITH CHECK (true);
CREATE POLICY every ON backup_orders TO aos_app, aos_worker USING (true) WITH CHECK (true);
GRANT SELECT ON backup_folder TO aos_app;
GRANT SELECT, INSERT, UPDATE ON backup_folder TO aos_worker;
GRANT SELECT, INSERT ON backup_orders TO aos_app;
GRANT SELECT, UPDATE (ended_at, code, detail, audit_id) ON backup_orders TO aos_worker;
