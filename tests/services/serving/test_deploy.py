"""What is shipped to be deployed: valid, hardened, and closed to whoever has no password."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import yaml

from aos_server.app import application
from aos_server.settings import VARIABLES, read
from tests.server.http.world import NO_RUNS, People
from tests.server.serve import serving
from tests.services.processes import LOGINS, listens, pgbouncer, program

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, object]]:
    """The services."""
    services: dict[str, dict[str, object]] = yaml.safe_load(
        (DEPLOY / "docker-compose.yml").read_text("utf-8")
    )["services"]
    return services


def test_the_compose_file_is_one(compose):
    words = ["--builtin-schema", "vendor.compose-spec", str(DEPLOY / "docker-compose.yml")]
    subprocess.run([sys.executable, "-m", "check_jsonschema", *words], check=True, capture_output=True)
    assert {"postgres", "pgbouncer", "redis", "migrate", "server", "worker"} <= compose.keys()
    published = {name: service["ports"] for name, service in compose.items() if "ports" in service}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    watching = {name for name, service in compose.items() if "profiles" in service}
    assert published.keys() - watching == {"server"}


def test_what_watches_is_started_only_on_request_with_the_files_that_are_shipped(compose):
    watching = {name: service for name, service in compose.items() if "profiles" in service}
    assert watching.keys() == {"prometheus", "alertmanager", "grafana"}
    for service in watching.values():
        assert service["profiles"] == ["monitoring"]
        mounted = [volume.split(":")[0] for volume in service["volumes"] if volume.startswith("./")]
        assert mounted
        assert all((DEPLOY / path).is_dir() for path in mounted)
    targets = {path.stem: path.read_text("utf-8") for path in DEPLOY.glob("prometheus/targets/*.yml")}
    worker_port = compose["worker"]["environment"]["AOS_WORKER_PORT"]
    assert f"[worker:{worker_port}]" in targets["worker"]
    assert "[server:8000]" in targets["server"]
    assert compose["server"]["environment"]["AOS_HOSTS"].endswith(",server")


def test_every_secret_of_the_compose_file_comes_from_outside_and_the_example_names_all():
    text = (DEPLOY / "docker-compose.yml").read_text("utf-8")
    asked = set(re.findall(r"\$\{(\w+)", text))
    example = set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text("utf-8"), re.MULTILINE))
    assert asked == example
    assert not re.search(r"(?i)(?:password|key): +[^$\s]", text)


@pytest.mark.parametrize("name", ["server", "worker", "migrate"])
def test_the_settings_of_the_compose_file_start(compose, name):
    given = {
        **{f"AOS_{role}_PASSWORD": "a1" * 16 for role in ("OWNER", "APP", "WORKER", "READER", "BACKUP")},
        "AOS_HOSTS": "aos.example.com",
        "AOS_OIDC_ISSUER": "https://login.example.com",
        "AOS_OIDC_AUDIENCE": "aos",
    }
    environment = compose[name]["environment"]
    assert isinstance(environment, dict)
    filled = {
        key: re.sub(r"\$\{(\w+)[^}]*\}", lambda match: given.get(match[1], ""), value)
        for key, value in environment.items()
    }
    assert filled.keys() <= {*VARIABLES, "FORWARDED_ALLOW_IPS"}  # which uvicorn reads
    read(filled, {"server": "serve"}.get(name, name))


def test_a_proxy_is_believed_where_it_is_named_and_empty_is_not_everybody(compose):
    stated = compose["server"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert stated == "${FORWARDED_ALLOW_IPS:-127.0.0.1}"  # with :- an empty one is not set


def test_the_pooler_is_probed_by_tcp(compose, pooler):
    check = compose["pgbouncer"]["healthcheck"]
    assert isinstance(check, dict)
    words = check["test"][1:]
    assert "/dev/tcp/" in words[-1]
    there = [word.replace("6432", str(pooler.port)) for word in words]
    gone = [word.replace("6432", "1") for word in words]
    assert subprocess.run(there).returncode == 0
    assert subprocess.run(gone).returncode != 0


def test_the_server_is_probed_under_its_address_whatever_its_name(compose):
    check = compose["server"]["healthcheck"]
    assert isinstance(check, dict)
    _, program, *words = check["test"]
    assert program == "python"
    with serving(application(People(), runs=NO_RUNS, hosts=("aos.example.com",))) as url:
        there = [word.replace("http://127.0.0.1:8000", url) for word in words]
        assert subprocess.run([sys.executable, *there]).returncode == 0
    assert subprocess.run([sys.executable, *there], capture_output=True).returncode != 0


@pytest.mark.parametrize("name", ["server", "worker", "migrate"])
def test_a_unit_reads_its_own_settings_and_writes_where_it_may(name):
    unit = (DEPLOY / f"systemd/aos-{name}.service").read_text("utf-8")
    said = re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE)
    assert [value for key, value in said if key == "EnvironmentFile"] == [f"/etc/aos/{name}.env"]
    given = dict(pair.split("=", 1) for key, value in said if key == "Environment" for pair in value.split())
    folders = [f"/var/lib/{one}/" for key, value in said if key == "StateDirectory" for one in value.split()]
    assert given.keys() <= VARIABLES.keys()
    assert all(value.startswith(tuple(folders)) for value in given.values())
    keys = "/var/lib/aos-keys/webhooks"
    assert given.get("WEBHOOK_KEYS_PATH") == (None if name == "migrate" else keys)
    # The files of the audit log are not the server's.
    assert ("/var/lib/aos/" in folders) == (name == "worker")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened(unit):
    words = ["security", "--offline=true", "--threshold=15", "--no-pager", str(unit)]
    subprocess.run([program("systemd-analyze"), *words], check=True, capture_output=True)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_one(unit, tmp_path):
    """With a program that is there in place of the one that will be."""
    text = re.sub(r"/opt/aos/bin/aos-server", shutil.which("true") or "", unit.read_text("utf-8"))
    (tmp_path / unit.name).write_text(text)
    found = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", tmp_path / unit.name],
        capture_output=True,
        text=True,
    )
    assert unit.name not in found.stderr
    assert found.returncode == 0


@pytest.mark.parametrize(
    ("role", "password"),
    [
        ("aos_app", ""), ("aos_app", "aos_worker-pw"), ("aos_app", "SCRAM-SHA-256$4096:x$y:z"),
        ("aos_owner", "aos_owner-pw"), ("root", ""), ("pgbouncer", ""), ("nobody", "x"), ("", ""),
    ],
)  # fmt: skip
def test_the_pooler_refuses_whoever_has_no_password_or_no_business_there(base, role, password):
    for database in (base.name, "pgbouncer"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                host="127.0.0.1",
                port=base.pooler.port,
                dbname=database,
                user=role or None,
                password=password or None,
                connect_timeout=5,
            ).execute("SELECT 1")


def test_a_secret_from_the_userlist_is_no_password(base):
    (secret,) = base.rows("SELECT rolpassword FROM pg_authid WHERE rolname = 'aos_app'")[0]
    for port in (base.pooler.port, base.server.port):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                host="127.0.0.1",
                port=port,
                dbname=base.name,
                user="aos_app",
                password=str(secret),
                connect_timeout=5,
            )


def test_new_passwords_reach_the_pooler_by_its_userlist(own_postgres):
    environment = {
        **os.environ,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(own_postgres.port),
        "PGUSER": "root",
        "PGDATABASE": "postgres",
        **{f"{role.upper()}_PASSWORD": f"{role}-of-16-characters" for role in LOGINS},
    }
    own_postgres.create("aos")
    short = {**environment, "AOS_APP_PASSWORD": "short"}
    assert subprocess.run([DEPLOY / "passwords.sh"], env=short, capture_output=True).returncode == 2
    file = own_postgres.home / "users"
    script = DEPLOY / "pgbouncer/userlist.sh"
    assert subprocess.run([script, file], env=environment, capture_output=True).returncode == 1
    subprocess.run([DEPLOY / "passwords.sh"], env=environment, check=True)
    subprocess.run([script, file], env=environment, check=True)
    text = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "of-16" not in text
    assert re.findall(r'^"(\w+)" "SCRAM-SHA-256\$', text, re.MULTILINE) == [
        "aos_app",
        "aos_reader",
        "aos_worker",
    ]
    bouncer = pgbouncer(own_postgres.home, own_postgres, text)
    bouncer.start()
    try:
        assert listens(bouncer.port)
        url = f"postgresql://aos_app:aos_app-of-16-characters@127.0.0.1:{bouncer.port}/aos"
        with psycopg.connect(url, prepare_threshold=None) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("aos_app",)
    finally:
        bouncer.kill()
