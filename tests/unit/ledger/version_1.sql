-- A ledger of version 1, as it was written then: a run of one step that failed once, and pauses for more money.
BEGIN TRANSACTION;
PRAGMA application_id = 1095717708;
PRAGMA user_version = 1;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'aos-ledger','first','2026-11-26 07:14:01.739610+00:00');
CREATE TABLE attempts (
        seq INTEGER NOT NULL,
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        item INTEGER NOT NULL,
        iteration INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        skill TEXT NOT NULL,
        started_ms REAL NOT NULL,
        reserve_micro INTEGER NOT NULL,
        ended_ms REAL,
        outcome TEXT NOT NULL DEFAULT 'unknown',
        code TEXT,
        category TEXT,
        effect TEXT NOT NULL DEFAULT 'unknown',
        cost_cents TEXT,
        latency_ms REAL,
        settled INTEGER,
        PRIMARY KEY (run, step, item, iteration, attempt)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES(3,'r1','s1',0,0,1,'http_call',1100.0,0,1300.0,'failed','TIMEOUT','TRANSIENT','unknown','0.5',200.0,4);
INSERT INTO "attempts" VALUES(5,'r1','s1',0,0,2,'http_call',1100.0,0,1200.5,'succeeded',NULL,NULL,'committed','1',100.25,6);
CREATE TABLE content (
        digest TEXT PRIMARY KEY,
        json TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO "content" VALUES('2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd','{"n":1}');
INSERT INTO "content" VALUES('61f20fc2faedfe4330a88c0a6a63edfd18d1d917c97c5a21921dad7cbc94692f','{"aos_plan":"1","name":"demo","steps":[{"id":"s1","skill":"http_call"}]}');
INSERT INTO "content" VALUES('74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b','null');
INSERT INTO "content" VALUES('bd0488843468e63c62bb6d1df790f0a83de90616c0906e9dbd3275d3b4100d97','{"seed":0}');
CREATE TABLE entries (
        seq INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT;
INSERT INTO "entries" VALUES(1,'','opened','{"at_ms":1795677241740,"ledger":"930caf5d-2b97-48f6-b4b2-aade54265dbe"}','f022be805968657158a4f13fc0723a74db5a86969675330d7b43120e411f87c4');
INSERT INTO "entries" VALUES(2,'r1','begun','{"budget_cents":"10","contract":"sha256:contract","deadline_ms":null,"forced":false,"name":"demo","plan":"61f20fc2faedfe4330a88c0a6a63edfd18d1d917c97c5a21921dad7cbc94692f","plan_digest":"sha256:plan","simulation":"bd0488843468e63c62bb6d1df790f0a83de90616c0906e9dbd3275d3b4100d97","started_ms":1000}','32b20f0c76831c9c8321fc4d7b182c2466e1dee8c6eb9cc4c16dfd86cd7f34d8');
INSERT INTO "entries" VALUES(3,'r1','intent','{"attempt":1,"item":0,"iteration":0,"key":"r1:s1","params_digest":"sha256:p","repeatable":false,"reserve_cents":"4","skill":"http_call","started_ms":1100,"step":"s1"}','69fffc767ee85672d0a1421f257df1e25b3aacd7113f3a301c5e447dbd6313e8');
INSERT INTO "entries" VALUES(4,'r1','settled','{"attempt":1,"cache_hit":false,"cost_cents":"0.5","effect":"unknown","ended_ms":1300,"failure":{"alternatives":["webhook_send"],"category":"TRANSIENT","code":"TIMEOUT","detail":"no answer","past_recovery_success_rate":null,"retry_after_ms":250,"retryable":true,"similar_past_failures":null},"features":{},"item":0,"iteration":0,"latency_ms":200,"next_actions":["wait"],"releases":false,"result":"74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b","retries":0,"side_effects":[],"step":"s1","success":false}','1953b3b8f6892df5158cf2beefb2293b46c77ce1f46c7c8dbefe7a322b7bffb5');
INSERT INTO "entries" VALUES(5,'r1','intent','{"attempt":2,"item":0,"iteration":0,"key":"r1:s1","params_digest":"sha256:p","repeatable":false,"reserve_cents":null,"skill":"http_call","started_ms":1100,"step":"s1"}','3de1c67c65f60b82038af5eafbeef10b3ca0ce5f9bba087a455e5b825c606965');
INSERT INTO "entries" VALUES(6,'r1','settled','{"attempt":2,"cache_hit":false,"cost_cents":"1","effect":"committed","ended_ms":1200.5,"failure":null,"features":{"tokens":3},"item":0,"iteration":0,"latency_ms":100.25,"next_actions":[],"releases":true,"result":"2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd","retries":1,"side_effects":[{"reversible":false,"target":"https://api.example","type":"http.request"}],"step":"s1","success":true}','99a17a5c47c3a36d36501068bcdf702bec6fc52cfe8df84578a76ad4e325c561');
INSERT INTO "entries" VALUES(7,'r1','step','{"ended_ms":1250,"outcome":"succeeded","output":"2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd","step":"s1"}','0d416ee5ac0fac2e5b501ad373c0ae323804375f97a19a851408c8ef0b7c81f0');
INSERT INTO "entries" VALUES(8,'r1','ended','{"active_ms":900,"at":{"item":0,"iteration":0,"step":"s2"},"cause":"budget","detail":"","ended_ms":2000,"status":"paused"}','18db85f406a77413d4ce655eb3a94bf8bc350783919d7af879f9658abf1ed5f2');
CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        name TEXT,
        status TEXT NOT NULL,
        cause TEXT,
        detail TEXT NOT NULL DEFAULT '',
        plan TEXT NOT NULL,
        plan_digest TEXT NOT NULL,
        contract TEXT NOT NULL,
        simulation TEXT NOT NULL,
        forced INTEGER NOT NULL,
        budget_cents TEXT,
        deadline_ms REAL,
        started_ms REAL NOT NULL,
        ended_ms REAL,
        active_ms REAL NOT NULL DEFAULT 0,
        limit_micro INTEGER,
        spent_micro INTEGER NOT NULL DEFAULT 0,
        reserved_micro INTEGER NOT NULL DEFAULT 0,
        unknown_costs INTEGER NOT NULL DEFAULT 0,
        score TEXT
    ) STRICT, WITHOUT ROWID;
INSERT INTO "runs" VALUES('r1',2,8,'demo','paused','budget','','61f20fc2faedfe4330a88c0a6a63edfd18d1d917c97c5a21921dad7cbc94692f','sha256:plan','sha256:contract','bd0488843468e63c62bb6d1df790f0a83de90616c0906e9dbd3275d3b4100d97',0,'10',NULL,1000.0,2000.0,900.0,10000000,1500000,0,0,NULL);
CREATE TABLE steps (
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        outcome TEXT NOT NULL,
        output TEXT NOT NULL,
        ended_ms REAL NOT NULL,
        PRIMARY KEY (run, step)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "steps" VALUES('r1','s1','succeeded','2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd',1250.0);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX runs_in_order ON runs (first_seq);
CREATE INDEX failures ON attempts (skill, code) WHERE code IS NOT NULL;
CREATE TRIGGER entries_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'a ledger is added to, never changed'); END;
CREATE TRIGGER entries_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'a ledger is added to, never changed'); END;
CREATE TRIGGER content_update BEFORE UPDATE ON content BEGIN SELECT RAISE(ABORT, 'a ledger is added to, never changed'); END;
CREATE TRIGGER content_delete BEFORE DELETE ON content BEGIN SELECT RAISE(ABORT, 'a ledger is added to, never changed'); END;
COMMIT;
