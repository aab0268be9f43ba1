"""Postgres, PgBouncer and Redis as processes of the tests: started on a free port, killed at will, gone at the end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

import psycopg
import pytest
from psycopg import sql

from aos_server.db.migrate import migrate
from aos_server.settings import Secret

ROLES = Path(__file__).parents[2] / "src/aos_server/db/roles.sql"
LOGINS = ("aos_owner", "aos_app", "aos_worker", "aos_reader", "aos_backup")


def program(name: str) -> str:
    """Where a program is; Debian keeps those of Postgres and PgBouncer off the path."""
    places = [*os.environ["PATH"].split(":"), "/usr/sbin"]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which(name, path=":".join([*map(str, reversed(versions)), *places]))
    return found or pytest.fail(f"{name} is missing: `nox -s services` installs it")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def children_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that a server may use which refuses to be root."""
    path = Path(tempfile.mkdtemp(prefix="aos-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(path, "nobody")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Process:
    """A server process that can be killed, stopped, and started again on the same port with the same data."""

    def __init__(self, words: list[str], port: int, log: Path, *, humble: bool = True) -> None:
        self.port = port
        self._words = words
        self._user = "nobody" if humble and os.geteuid() == 0 else None
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        out: IO[bytes]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._words, stdout=out, stderr=out, user=self._user, start_new_session=True, cwd="/"
            )
        try:
            wait_for(self._ready, f"{self._words[0]} listens on {self.port}")
        except BaseException:
            self.kill()
            raise

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"{self._words[0]} ended: {self._log.read_text(errors='replace')[-2000:]}")
        return listens(self.port)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and all of its children, which Postgres puts into sessions of their own."""
        assert self._process is not None
        for pid in (self._process.pid, *children_of(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """kill -9, children too, and wait until the port is free."""
        assert self._process is not None
        if self._process.poll() is None:
            self.send(signal.SIGKILL)
            self._process.wait()
        wait_for(lambda: not listens(self.port), f"{self._words[0]} is gone")


S = TypeVar("S", bound=Process)


class Postgres(Process):
    """A cluster; the superuser `root` is trusted, everybody else needs a password."""

    def __init__(self, home: Path) -> None:
        self.home = home
        data, port = home / "data", free_port()
        self._run(program("initdb"), "-D", str(data), "-U", "root", "--auth=trust", "-N", "-E", "UTF8")
        (data / "pg_hba.conf").write_text(
            "host all root 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        # Without fsync a killed process loses nothing; only a machine that loses power does.
        options = {
            "fsync": "off",
            "max_connections": "60",
            "listen_addresses": "127.0.0.1",
            "shared_buffers": "32MB",
        }
        words = [f"-c{key}={value}" for key, value in options.items()]
        super().__init__(
            [program("postgres"), "-D", str(data), f"-p{port}", f"-k{home}", *words], port, home / "log"
        )

    def _run(self, *words: str) -> None:
        user = "nobody" if os.geteuid() == 0 else None
        subprocess.run(words, check=True, capture_output=True, user=user, cwd="/")

    def start(self) -> None:
        super().start()
        wait_for(self._answers, "Postgres answers")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("root"), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """As after a crash: no child outlives it, and a new one may start at once."""
        super().kill()
        (self.home / "data/postmaster.pid").unlink(missing_ok=True)

    def url(self, role: str, database: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{role}:{role}-pw@127.0.0.1:{port or self.port}/{database}"

    def execute(self, statement: "str | sql.Composed", database: str = "postgres") -> None:
        with psycopg.connect(self.url("root", database), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, name: str, template: str = "template0") -> None:
        """A database in which the roles may log in."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self.execute(ROLES.read_text("utf-8"), name)

    def set_passwords(self) -> None:
        """Each role's is its name and `-pw`. Again is another secret, which PgBouncer does not know."""
        for role in LOGINS:
            self.execute(f"ALTER ROLE {role} PASSWORD '{role}-pw'")


def pgbouncer(home: Path, postgres: Postgres, userlist: str, settings: Mapping[str, object] = {}) -> Process:
    """PgBouncer before `postgres`, with the settings that are shipped but for addresses."""
    shipped = Path(__file__).parents[2] / "deploy/pgbouncer/pgbouncer.ini"
    port = free_port()
    (home / "userlist.txt").write_text(userlist)
    changed = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "auth_file": home / "userlist.txt",
        "unix_socket_dir": "",
        "logfile": "",
        "pidfile": "",
        **settings,
    }
    lines = [
        f"* = host=127.0.0.1 port={postgres.port}" if line.startswith("aos = ") else line
        for line in shipped.read_text("utf-8").splitlines()
        if line.split("=")[0].strip() not in changed
    ]
    (home / "pgbouncer.ini").write_text(
        "\n".join([*lines, *(f"{k} = {v}" for k, v in changed.items())]) + "\n"
    )
    return Process([program("pgbouncer"), str(home / "pgbouncer.ini")], port, home / "pgbouncer.log")


def userlist(postgres: Postgres) -> str:
    """What deploy/pgbouncer/userlist.sh writes for this server."""
    script = Path(__file__).parents[2] / "deploy/pgbouncer/userlist.sh"
    with folder() as home:
        where = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": "root",
            "PGDATABASE": "postgres",
        }
        subprocess.run([script, home / "userlist.txt"], check=True, env=os.environ | where)
        assert (home / "userlist.txt").stat().st_mode & 0o777 == 0o600
        return (home / "userlist.txt").read_text()


@contextmanager
def started(make: Callable[[Path], S]) -> Iterator[S]:
    """A server with a folder of its own; both are gone in the end."""
    with folder() as home:
        server = make(home)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def migrated(database: str) -> Iterator[Postgres]:
    """A cluster with one database, migrated, and passwords for all roles."""
    with started(Postgres) as server:
        server.create(database)
        server.set_passwords()
        migrate(Secret(server.url("aos_owner", database)))
        yield server


@contextmanager
def pooled(postgres: Postgres) -> Iterator[Process]:
    """PgBouncer before it, in transaction mode, configured as shipped."""
    with started(lambda home: pgbouncer(home, postgres, userlist(postgres))) as pooler:
        yield pooler


def redis(home: Path) -> Process:
    """Redis, in memory only."""
    port = free_port()
    words = [
        program("redis-server"),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(home),
    ]
    return Process(words, port, home / "redis.log")
