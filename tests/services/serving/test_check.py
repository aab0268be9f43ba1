"""`aos-server check`, as it is called before a server starts."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.schemas import faults
from tests.services.audit.log import TEN, Log
from tests.services.keys.making import new_keys


def check(environment: dict[str, str], process: str = "serve") -> tuple[int, dict[str, Any]]:
    words = [sys.executable, "-m", "aos_server", "check", "--process", process, "--json"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AOS_")}
    done = subprocess.run(words, env=clean | environment, capture_output=True, text=True)
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    assert faults(document) == []
    return done.returncode, document


def verdicts(document: dict[str, Any]) -> dict[str, str | None]:
    return {check["name"]: check["detail"] for check in document["checks"]}


@pytest.fixture
def serve(base, redis_server) -> dict[str, str]:
    return {
        "DATABASE_URL": base.pooled("aos_app"),
        "REDIS_URL": f"redis://127.0.0.1:{redis_server.port}/0",
        "AOS_OIDC_ISSUER": "https://login.example.com",
        "AOS_OIDC_AUDIENCE": "aos",
    }


def test_where_all_is_well(serve):
    status, document = check(serve)
    assert (status, document["status"]) == (0, "healthy")
    looked_at = ("settings", "database", "rights", "webhook keys", "redis")
    assert verdicts(document) == dict.fromkeys(looked_at)


def test_what_is_wrong_is_said_and_is_a_no(base, serve):
    status, document = check(serve | {"DATABASE_URL": base.url("root"), "REDIS_URL": "redis://127.0.0.1:1/0"})
    assert status == 3
    found = verdicts(document)
    assert "is a superuser" in str(found["rights"])
    assert found["redis"] == "it does not answer"


def test_a_database_that_is_gone_is_said_without_its_address(serve):
    status, document = check(serve | {"DATABASE_URL": "postgresql://aos_app:hunter2@127.0.0.1:1/aos"})
    assert status == 3
    assert verdicts(document)["database"] == "the database: it can't be reached: Connection refused"
    assert "hunter2" not in str(document)


def test_an_address_that_is_none_is_a_wrong_setting_and_is_not_repeated(serve):
    url = "postgresql://aos_app:hunter2@127.0.0.1:1/aos"
    status, document = check(serve | {"DATABASE_URL": f"{url}?sslmod=require", "AOS_PORT": "x"})
    assert (status, document["code"]) == (2, "invalid_config")
    assert {error["pointer"] for error in document["errors"]} == {"/DATABASE_URL", "/AOS_PORT"}
    assert 'invalid URI query parameter: "sslmod"' in str(document)
    status, document = check(serve | {"DATABASE_URL": f"{url}?sslmode=bogus"})
    assert "invalid sslmode value" in str(verdicts(document)["database"])
    assert "hunter2" not in str(document)


def test_settings_come_first_and_all_at_once():
    status, document = check({"RBAC_ENABLED": "false"})
    assert (status, document["code"]) == (2, "invalid_config")
    assert len(document["errors"]) == 4


def test_a_worker_is_told_everything_that_it_lacks_at_once(base, tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o777)
    environment = {
        "DATABASE_URL": base.url("aos_app"),
        "AOS_AUDIT_KEY_PATH": str(tmp_path / "nowhere/audit.key"),
        "AOS_AUDIT_CHECKPOINTS_PATH": str(tmp_path / "nowhere/checkpoints"),
        "WEBHOOK_KEYS_PATH": str(tmp_path / "keys"),
    }
    status, document = check(environment, "worker")
    assert status == 3
    wrong = {name: detail for name, detail in verdicts(document).items() if detail}
    assert set(wrong) == {"rights", "webhook keys", "audit key", "checkpoints"}
    assert "may not do the worker's work" in str(wrong["rights"])
    assert "AOS_AUDIT_KEY_PATH" in str(wrong["audit key"])


def test_the_worker_holds_the_audit_log_against_its_checkpoints(base, tmp_path):
    log = Log(base, tmp_path)
    base.server.execute(TEN, base.name)
    assert log.sequence() == 10
    environment = {
        "DATABASE_URL": base.pooled("aos_worker"),
        "AOS_AUDIT_KEY_PATH": str(tmp_path / "audit.key"),
        "AOS_AUDIT_CHECKPOINTS_PATH": str(log.outside),
        "WEBHOOK_KEYS_PATH": str(tmp_path / "keys"),
    }
    assert verdicts(check(environment, "worker")[1])["webhook keys"] is not None
    new_keys(tmp_path / "keys")
    status, document = check(environment, "worker")
    assert (status, document["backup_path"]) == (0, None)
    backing = {"AOS_BACKUP_PATH": str(tmp_path / "backups"), "AOS_BACKUP_DATABASE_URL": base.url("aos_app")}
    status, document = check(environment | backing, "worker")
    assert (status, document["backup_path"]) == (3, str(tmp_path / "backups"))
    assert "may not make databases (CREATEDB), does not see every row" in str(verdicts(document)["backups"])
    backing["AOS_BACKUP_DATABASE_URL"] = base.url("aos_backup")
    assert verdicts(check(environment | backing, "worker")[1])["backups"] is None
    log.do("UPDATE audit SET subject = 'eve' WHERE object = '3'")
    status, document = check(environment, "worker")
    assert status == 11
    assert "is not what it was when it was hashed" in str(verdicts(document)["audit"])
