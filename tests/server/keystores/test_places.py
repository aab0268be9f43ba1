"""What holds for each of the three places."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from aos.errors import AosError
from aos.webhooks import sign
from aos_server.cli.app import run
from aos_server.keystores.changes import carry_out, load, retire, rotate
from aos_server.keystores.check import check
from aos_server.keystores.keyring import Keyring
from tests.cli.schemas import faults
from tests.server.keystores.places import Place

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = b"0123456789abcdef"


def code(call, *arguments) -> str:
    with pytest.raises(AosError) as failed:
        call(*arguments)
    return failed.value.code


def test_a_version_is_written_once_and_the_record_only_over_the_one_that_was_read(place: Place):
    backend = place.open()
    assert (backend.record().text, backend.names()) == (None, [])
    stamp = backend.record().stamp
    backend.add("v1", KEY)
    assert code(backend.add, "v1", b"f" * 32) == "keys_conflict"
    assert (backend.key("v1"), backend.names()) == (KEY, ["v1"])
    assert code(backend.key, "v2") == "key_not_found"
    backend.swap(b"one", stamp)
    assert code(backend.swap, b"two", stamp) == "keys_conflict"
    backend.swap(b"three", backend.record().stamp)
    assert place.open().record().text == b"three"
    backend.remove("v1")
    backend.remove("v1")
    assert backend.names() == []


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_short_key_is_none(place: Place, size):
    backend = place.open()
    if size or place.kind != "ssm":  # SSM refuses empty ones itself
        backend.add("v1", b"k" * size)
        assert code(backend.key, "v1") == "key_unsafe"


def test_the_key_of_the_predecessor_signs_and_signs_on_after_the_first_rotation(place: Place):
    backend = place.open()
    backend.add("v1", KEY)
    before = Keyring(backend, NOW).secrets("ep_1", NOW)
    carry_out(backend, rotate(backend, NOW, DAY))
    after = Keyring(place.open(), NOW)
    assert after.secrets("ep_1", NOW)[1:] == before
    assert after.secrets("ep_1", NOW + DAY) == after.secrets("ep_1", NOW)[:1]


def test_of_rotations_at_once_one_is_carried_out(place: Place):
    backends = [place.open() for _ in range(4)]
    carry_out(backends[0], rotate(backends[0], NOW - 2 * DAY, DAY))
    changes = [rotate(backend, NOW, DAY) for backend in backends]

    def attempt(n: int) -> str:
        try:
            carry_out(backends[n], changes[n])
        except AosError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == ["done", *["keys_conflict"] * 3]
    assert not any(finding.wrong for finding in check(backends[0], NOW))


def test_what_a_rotation_that_was_cut_off_has_left_is_named_and_can_be_removed(place: Place):
    backend = place.open()
    carry_out(backend, rotate(backend, NOW, DAY))
    backend.add("v2", KEY)
    assert [finding.name for finding in check(backend, NOW) if finding.wrong] == ["v2"]
    assert rotate(backend, NOW, DAY).adds == "v3"
    late = rotate(backend, NOW, DAY)
    carry_out(backend, retire(backend, "v2", NOW))
    assert not any(finding.wrong for finding in check(backend, NOW))
    assert code(carry_out, backend, late) == "keys_conflict"


def test_a_rotation_removes_what_has_ended(place: Place):
    backend = place.open()
    for n in range(4):
        carry_out(backend, rotate(backend, NOW + n * 2 * DAY, DAY))
    assert sorted(backend.names()) == ["v3", "v4"]


def test_a_server_starts_with_a_key_only(place: Place):
    assert code(Keyring, place.open(), NOW) == "key_missing"


def test_a_key_that_the_record_names_and_nobody_has_is_damage(place: Place):
    backend = place.open()
    carry_out(backend, rotate(backend, NOW, DAY))
    backend.remove("v1")
    assert code(Keyring, backend, NOW) == "keys_damaged"
    assert code(rotate, backend, NOW, DAY) == "key_not_found"
    assert [finding.name for finding in check(backend, NOW) if finding.wrong] == ["v1"]


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b'{"aos_keys":"1","serial":1,"versions":[]}', b"{" * 4000]
)
def test_a_damaged_record_is_damage_and_nothing_is_changed(place: Place, text):
    backend = place.open()
    backend.add("v1", KEY)
    if text or place.kind != "ssm":
        backend.swap(text, backend.record().stamp)
        assert code(rotate, backend, NOW, DAY) == "keys_damaged"
        assert code(Keyring, backend, NOW) == "keys_damaged"


def test_the_walk_of_an_operator(place: Place, capsys, monkeypatch):
    """Rotate and retire by the command line; a receiver with the published library verifies all along."""
    said: list[str] = []
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)

    def typed(*words: str) -> int:
        status = run(["keys", *words, "--backend", place.kind])
        said.extend(capsys.readouterr())
        return status

    def keys(*words: str) -> dict[str, Any]:
        assert typed(*words, "--json") == 0, said
        answer: dict[str, Any] = json.loads(said[-2])
        assert not faults(answer)
        return answer

    def foretold(*words: str) -> None:
        """What a dry run says is what then happens."""
        backend = place.open()
        before = (backend.record(), sorted(backend.names()))
        told = keys(*words, "--dry-run")
        assert (backend.record(), sorted(backend.names())) == before
        done = keys(*words)
        assert told["changes"] == done["changes"]
        places = {step["where"] for step in done["changes"] if step["do"] != "make"}
        names = set(before[1]) ^ set(backend.names())
        assert places == {backend.where(name) for name in [*names, "keys.json"]}
        assert [row["version"] for row in done["versions"]] == [
            row["version"] for row in keys("list")["versions"]
        ]

    foretold("rotate")
    receiver = secrets_now(place)
    foretold("rotate", "--overlap", "1")
    assert accepts(receiver, place)  # it has the old secret still
    receiver = secrets_now(place)[:1]
    assert accepts(receiver, place)
    foretold("retire", "v1", "--confirm", "v1")
    assert accepts(receiver, place)
    assert keys("verify")["status"] == "healthy"
    assert keys("show", "v2")["state"] == "current"
    assert typed("list") == typed("rotate", "--dry-run") == 0
    assert [typed("rotate", "--overlap", hours) for hours in ("168.1", "-1", "nan", "soon")] == [2] * 4
    key = place.open().key("v2").decode()
    assert [text for text in said if key in text or receiver[0] in text] == []


def secrets_now(place: Place) -> list[str]:
    now = datetime.now(UTC)
    return Keyring(place.open(), now).secrets("ep_1", now)


def accepts(receiver: list[str], place: Place) -> bool:
    headers = sign(secrets_now(place), "msg_1", datetime.now(UTC), b"{}")
    for secret in receiver:
        try:
            Webhook(secret).verify(b"{}", headers)
            return True
        except WebhookVerificationError:
            pass
    return False


def test_the_current_key_stays_and_the_one_before_it_needs_a_word(place: Place):
    backend = place.open()
    carry_out(backend, rotate(backend, NOW, DAY))
    carry_out(backend, rotate(backend, NOW, DAY))
    assert code(retire, backend, "v2", NOW, "v2") == "keys_conflict"
    assert code(retire, backend, "v1", NOW) == "not_confirmed"
    assert code(retire, backend, "v9", NOW) == "key_not_found"
    assert code(rotate, backend, NOW, DAY) == "keys_conflict"
    assert load(backend)[0].live(NOW)[0].name == "v2"
    carry_out(backend, retire(backend, "v1", NOW + DAY))
    assert backend.names() == ["v2"]
