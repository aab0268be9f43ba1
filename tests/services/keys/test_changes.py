"""Keys rotated, rehearsed and retired by the API and the command line, while receivers verify all along."""

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from aos.errors import AosError
from aos.webhooks import SignatureError, verify
from aos_server.db.pool import Database
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import carry_out, load, rotate
from aos_server.keystores.file import FileBackend
from aos_server.services.webhooks.keys import KeyService, find_abandoned
from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.fakes.receivers import Message, Receiver, receiving
from tests.server.http.world import told
from tests.server.keystores.conftest import aws, parameters, place, vault
from tests.server.keystores.places import Place, Vault
from tests.server.serve import serving
from tests.services.keys.making import new_keys
from tests.services.keys.working import KEYS, working_server
from tests.services.processes import wait_for
from tests.services.staff import Staff, by
from tests.services.webhooks.delivering import tell

__all__ = ["aws", "parameters", "place", "vault"]

_PAGE = (Path(__file__).parents[3] / "docs/runbooks/key-rotation.md").read_text("utf-8")
RUNBOOK = "".join(re.findall(r"```sh server\n(.*?)```", _PAGE, re.DOTALL)).splitlines()


class Holder(NamedTuple):
    """A receiver that accepts what the secrets that it holds verify, and the webhook that leads to it."""

    receiver: Receiver
    secrets: list[str]
    webhook: str


class Operator:
    """Somebody with the command line."""

    def __init__(self, base, url: str) -> None:
        self.base = base
        self.typed: list[str] = []
        self.env = {"AOS_BASE_URL": url, "AOS_API_KEY": "manager", "AOS_KEYRING": "off"}

    def types(self, words: str, status: int = 0) -> dict[str, Any]:
        self.typed.append(f"aos {words}")
        done = aos(*words.split(), "--json", env=self.env)
        assert (done.status, faults(done.document)) == (status, []), (words, done.out, done.err)
        return done.document

    def takes_secret(self, holder: Holder) -> None:
        shown = self.types(f"webhooks secret {holder.webhook}")["secrets"]
        holder.secrets[:] = [one["secret"] for one in shown][:1]

    def everything_arrives(self) -> None:
        """One more message is told, and with it all have arrived."""
        tell(self.base)
        left = (
            "SELECT count(*) FROM deliveries d JOIN outbox o ON o.id = message_id WHERE topic = 'run.ended'"
        )
        sent = f"{left} AND sequence = (SELECT max(sequence) FROM outbox WHERE topic = 'run.ended')"
        wait_for(
            lambda: (
                self.base.rows("SELECT count(*) FROM outbox WHERE spread_at IS NULL") == [(0,)]
                and self.base.rows(f"{left} AND state <> 'delivered'") == [(0,)]
            ),
            sent,
        )

    def foretold(self, words: str) -> dict[str, Any]:
        """What a dry run says is what then happens."""
        before = self.types("keys list")["versions"]
        said = self.types(f"{words} --dry-run")
        assert [one["version"] for one in self.types("keys list")["versions"]] == [
            one["version"] for one in before
        ]
        done = self.types(words)
        assert said["changes"] == done["changes"]
        return done


@contextmanager
def holding(client: httpx.Client) -> Iterator[Holder]:
    with receiving() as receiver:
        answer = client.post("/api/v1/webhooks", json={"url": f"{receiver.url}/choose"})
        holder = Holder(receiver, [], answer.json()["webhook_id"])

        def choose(message: Message) -> str:
            try:
                verify(message.headers, message.body, holder.secrets, datetime.now(UTC))
                return "/204"
            except SignatureError:
                return "/401"

        receiver.choose = choose
        yield holder


@pytest.fixture
def backend(place: Place) -> Backend:
    """Each of the three places, with a first key in it."""
    backend = place.open()
    carry_out(backend, rotate(backend, datetime.now(UTC), timedelta(0)))
    return backend


def test_the_walk_of_a_rotation(base, place, backend, request):
    with (
        serving(working_server(base, backend)) as url,
        httpx.Client(base_url=url, headers=by("manager"), timeout=30) as client,
        holding(client) as good,
        holding(client) as slow,
    ):
        operator = Operator(base, url)
        operator.takes_secret(good)
        operator.takes_secret(slow)
        operator.everything_arrives()
        done = operator.foretold("keys rotate --overlap 48")
        assert [(one["version"], one["state"]) for one in done["versions"]] == [
            ("v2", "current"),
            ("v1", "overlap"),
        ]
        operator.everything_arrives()  # both have the old secret still
        if place.kind == "vault":
            server: Vault = request.getfixturevalue("vault")
            server.seal()
            try:
                assert operator.types("keys retire v1 --confirm v1", 6)["code"] == "keystore_unavailable"
                operator.everything_arrives()
            finally:
                server.unseal()
        operator.takes_secret(good)
        said = operator.types("keys rotate --rehearse", 3)
        assert {one["webhook_id"]: one["state"] for one in said["webhooks"]} == {
            good.webhook: "accepted",
            slow.webhook: "refused",
        }
        assert base.rows("SELECT count(*) FROM delivery_attempts WHERE status = 401") == [(1,)]  # asked once
        refused = operator.types("keys retire v1", 9)
        assert refused["code"] == "keys_not_accepted"
        assert slow.webhook in refused["detail"]
        assert good.webhook not in refused["detail"]
        operator.takes_secret(slow)
        assert operator.types("keys rotate --rehearse")["status"] == "accepted"
        at = f"/api/v1/webhooks/{good.webhook}"
        for path in ("/other", "/choose"):  # another address has accepted nothing
            assert client.patch(at, json={"url": f"{good.receiver.url}{path}"}).status_code == 200
        assert good.webhook in operator.types("keys retire v1", 9)["detail"]
        assert operator.types("keys rotate --rehearse")["status"] == "accepted"
        operator.foretold("keys retire v1")
        operator.everything_arrives()
        assert operator.types("keys verify")["status"] == "healthy"
        assert set(RUNBOOK) <= set(operator.typed)
        assert operator.types("keys show v2")["state"] == "current"
        done_to_keys = base.rows("SELECT action FROM audit WHERE action LIKE 'webhook_key.%' ORDER BY at")
        verbs = ["rotation_begun", "rotated", *["rehearsed"] * 3, "retirement_begun", "retired"]
        assert done_to_keys == [(f"webhook_key.{verb}",) for verb in verbs]
        base.server.execute("DELETE FROM outbox WHERE topic = 'run.ended'", base.name)  # this test's own
        assert base.unaudited() == []
        assert base.rows("SELECT 1 FROM webhooks WHERE disabled_at IS NOT NULL") == []
        kept = str(base.rows("SELECT a::text FROM audit a") + base.rows("SELECT o::text FROM outbox o"))
        assert backend.key("v2").decode() not in kept
        assert good.secrets[0] not in kept


def test_it_takes_level_4_and_another_tenants_webhooks_are_counted_and_not_named(client, base):
    for method, path in (("GET", ""), ("GET", "/v1"), ("GET", "/verify"), ("POST", "/rotate"), ("POST", "/v1/retire"),
                         ("POST", "/rehearsal")):  # fmt: skip
        body: dict[str, str] | None = {} if method == "POST" else None
        answer = client.request(method, KEYS + path, json=body, headers=by("engineer"))
        assert told(answer)["code"] == "authorization_denied"
    hook = {"url": "http://127.0.0.1:9/secret-path"}
    made = client.post("/api/v1/webhooks", json=hook, headers=by("elsewhere")).json()["webhook_id"]
    assert client.post(f"{KEYS}/rotate", json={}).status_code == 200
    assert client.post(f"{KEYS}/rehearsal", json={}).status_code == 202
    wait_for(lambda: client.get(f"{KEYS}/rehearsal").json()["status"] == "refused", "nobody is there")
    said = client.get(f"{KEYS}/rehearsal")
    assert (said.json()["webhooks"], said.json()["elsewhere"]["refused"]) == ([], 1)
    refused = client.post(f"{KEYS}/v1/retire", json={})
    assert told(refused)["code"] == "keys_not_accepted"
    assert "1 of other tenants" in refused.json()["detail"]
    for answer in (said, refused):
        assert made not in answer.text
        assert "secret-path" not in answer.text
    assert client.post(f"{KEYS}/v1/retire", json={"confirm": "v1"}).status_code == 200


def test_of_rotations_at_once_one_is_carried_out(client, base, folder):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post(f"{KEYS}/rotate", json={}).status_code, range(4)))
    assert sorted(answers) == [200, 409, 409, 409]
    assert [one.name for one in load(folder)[0].versions] == ["v1", "v2"]
    assert base.rows("SELECT count(*) FROM key_changes WHERE ended_at IS NULL") == [(0,)]


@pytest.mark.parametrize("done", [True, False])
def test_a_change_that_was_cut_off_is_found_and_told(base, folder, done):
    change_id = uuid4()
    base.server.execute(
        f"INSERT INTO key_changes VALUES ('{change_id}', 'acme', 'rotation', 'v2', now() - interval '10 min')",
        base.name,
    )
    if done:
        carry_out(folder, rotate(folder, datetime.now(UTC), timedelta(hours=1)))

    async def act() -> tuple[dict[str, Any], int, int]:
        async with Database.open(base.pooled("aos_worker"), 2) as database:
            seen = await KeyService(database, folder).verify()
            return seen, await find_abandoned(database, folder), await find_abandoned(database, folder)

    seen, first, second = asyncio.run(act())
    assert (seen["status"], first, second) == ("unhealthy", 1, 0)
    (row,) = base.rows("SELECT tenant_id, subject, action, object, details ->> 'done' FROM audit")
    assert row == ("acme", "keys", "webhook_key.rotation_found", "v2", str(done).lower())
    assert base.rows("SELECT topic FROM outbox") == ([("webhook_key.rotated",)] if done else [])


def test_while_one_is_under_way_no_other_begins(client, base):
    base.server.execute(
        f"INSERT INTO key_changes VALUES ('{uuid4()}', 'acme', 'rotation', 'v2', now() - interval '50 s')",
        base.name,
    )
    assert told(client.post(f"{KEYS}/rotate", json={}))["code"] == "keys_conflict"
    assert [one["version"] for one in client.get(KEYS).json()["versions"]] == ["v1"]


def test_an_old_key_is_rotated_by_one_of_the_workers_and_a_young_one_by_none(base, tmp_path):
    backend = new_keys(tmp_path / "keys")
    day = timedelta(days=1)

    async def act(every: timedelta) -> list[int]:
        async with Database.open(base.pooled("aos_worker"), 4) as database:
            services = [KeyService(database, backend) for _ in range(3)]
            return sorted(await asyncio.gather(*(one.rotate_due(every) for one in services)))

    assert asyncio.run(act(day)) == [0, 0, 0]
    assert asyncio.run(act(timedelta(0))) == [0, 0, 1]
    assert base.rows("SELECT tenant_id, subject, action FROM audit ORDER BY at") == [
        ("default", "keys", f"webhook_key.{verb}") for verb in ("rotation_begun", "rotated")
    ]


class Slow(FileBackend):
    """A folder on a disk that takes its time."""

    def add(self, name: str, key: bytes) -> None:
        time.sleep(0.5)
        super().add(name, key)


def test_what_has_begun_is_ended_and_told_though_nobody_waits_for_it(base, folder, tmp_path):
    async def act() -> None:
        async with Database.open(base.pooled("aos_app"), 2) as database:
            slow = KeyService(database, Slow(tmp_path / "keys", "v1"))
            asked = asyncio.create_task(
                slow.rotate(await Staff().named("ann", "acme"), timedelta(hours=1), False)
            )
            while not base.rows("SELECT 1 FROM key_changes"):
                await asyncio.sleep(0.01)
            asked.cancel()
            with suppress(asyncio.CancelledError):
                await asked
            while base.rows("SELECT 1 FROM key_changes WHERE ended_at IS NULL"):
                await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(act(), 20))
    assert [one.name for one in load(folder)[0].versions] == ["v1", "v2"]
    assert base.rows("SELECT action FROM audit ORDER BY at")[-1:] == [("webhook_key.rotated",)]


def test_a_rotation_that_fails_is_told_and_the_next_may_begin(client, base, folder, tmp_path):
    (tmp_path / "keys").chmod(0o777)
    assert told(client.post(f"{KEYS}/rotate", json={}))["code"] == "key_unsafe"
    (tmp_path / "keys").chmod(0o700)
    with pytest.raises(AosError):
        folder.key("v2")
    assert client.post(f"{KEYS}/rotate", json={}).status_code == 200
