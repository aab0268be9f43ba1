"""A tenant reads its part of the audit log over HTTP and on the command line, and finds what was done to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aos.errors import AosError
from aos_server.services.audit.checkpoints import signer, verifier
from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.server.http.world import told
from tests.server.serve import serving
from tests.services.audit.log import TEN, Log, served

EVIL = TEN.replace("'acme'", "'evil'")


@pytest.fixture
def log(base, tmp_path) -> Log:
    """Ten rows of acme between ten of another tenant, and two checkpoints; then one more, which waits."""
    log = Log(base, tmp_path)
    for ten in (EVIL, TEN):
        base.server.execute(ten, base.name)
        log.sequence()
    base.server.execute(TEN.replace("(1, 10)", "(11, 11)"), base.name)
    return log


@pytest.fixture
def client(base, log) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer engineer"}
    with (
        serving(served(base, log.signer.public)) as url,
        httpx.Client(base_url=url, headers=headers, timeout=30) as client,
    ):
        yield client


def check(client: httpx.Client, **body: str) -> dict[str, Any]:
    answer = client.post("/api/v1/audit/verify", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_sound_log_is_found_sound_and_says_what_it_counted(client):
    found = check(client)
    assert (found["status"], found["size"], found["entries"], found["waiting"]) == ("sound", 20, 10, 1)
    assert (found["checkpoints"], found["damage"]) == (2, [])


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET subject = 'eve' WHERE object = '3' AND tenant_id = 'acme'", "is not what it was"),
        ("DELETE FROM audit WHERE object = '3' AND tenant_id = 'acme'", "is gone"),
        ("DELETE FROM audit WHERE object = '3' AND tenant_id = 'evil'", "is gone"),
        (f"DELETE FROM audit_pending; {TEN}", "put in beside the tree"),
        ("DELETE FROM audit_leaves WHERE position = 13", "comes leaf"),
        ("UPDATE audit_leaves SET position = CASE position WHEN 13 THEN 1000 ELSE 13 END WHERE position IN (13, 14); "
         "UPDATE audit_leaves SET position = 14 WHERE position = 1000", "are not those that were signed"),
    ],
    ids=["changed", "removed", "another tenant's removed", "put in", "leaf", "reordered"],
)  # fmt: skip
def test_damage_is_found_by_the_tenant(client, log, statement, said):
    log.do(statement)
    found = check(client)
    assert found["status"] == "damaged"
    assert said in " ".join(one["detail"] for one in found["damage"])


def test_a_tail_that_was_cut_with_its_checkpoints_is_found_by_what_was_kept_elsewhere(client, log):
    log.do("DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_leaves WHERE position > 9); "
           "DELETE FROM audit_leaves WHERE position > 9; DELETE FROM audit_checkpoints WHERE size > 10")  # fmt: skip
    assert check(client)["status"] == "sound"
    found = check(client, checkpoints=log.outside.read_text())
    assert (found["status"], found["damage"][0]["detail"]) == ("damaged", "20 rows were signed; 10 are there")


@pytest.mark.parametrize(
    "text", ["nothing", "aos.audit\n3\n", "aos.audit\n1\n" + "A" * 43 + "=\n\n— aos.audit ====\n"]
)
def test_what_is_no_checkpoint_is_refused(client, text):
    answer = client.post("/api/v1/audit/verify", json={"checkpoints": text})
    assert told(answer)["errors"][0]["pointer"] == "/checkpoints"


def test_without_the_public_key_nothing_is_called_sound(base, log):
    headers = {"Authorization": "Bearer engineer"}
    with serving(served(base, None)) as url, httpx.Client(base_url=url, headers=headers) as client:
        found = check(client)
        assert (found["status"], found["checkpoints"]) == ("undetermined", None)
        assert found["unknowns"][0]["pointer"] == "/checkpoints"
        log.do("DELETE FROM audit WHERE object = '3' AND tenant_id = 'acme'")
        assert check(client)["status"] == "damaged"


def test_pages_and_entries_are_the_tenants_own(client, base):
    first = client.get("/api/v1/audit", params={"limit": 6}).json()
    second = client.get("/api/v1/audit", params={"limit": 6, "cursor": first["next"]}).json()
    listed = [*first["entries"], *second["entries"]]
    assert ({one["tenant_id"] for one in listed}, len({one["id"] for one in listed})) == ({"acme"}, 11)
    assert second["next"] is None
    assert client.get("/api/v1/audit", params={"object": "7"}).json()["count"] == 1
    ((foreign,),) = base.rows("SELECT id FROM audit WHERE tenant_id = 'evil' AND object = '3'")
    for name in (foreign, "0" * 32, "nonsense"):
        assert told(client.get(f"/api/v1/audit/{name}"))["code"] == "not_found"
    for cursor in ("bm9uc2Vuc2U=", "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMCBub25l"):
        assert told(client.get("/api/v1/audit", params={"cursor": cursor}))["code"] == "invalid_request"


def test_on_the_command_line(client, log, tmp_path: Path):
    home = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "AOS_KEYRING": "off",
    }

    def ask(*words: str) -> Any:
        done = aos(*words, "--json", env=home)
        assert faults(done.document) == []
        return done

    aos("login", "--server", str(client.base_url), "--token-stdin", stdin=b"engineer\n", env=home)
    (entry,) = ask("audit", "list", "--object", "3").document["entries"]
    shown = ask("audit", "show", entry["id"])
    assert (shown.status, shown.document["proved"]) == (0, True)
    (waiting,) = ask("audit", "list", "--object", "11").document["entries"]
    assert ask("audit", "show", waiting["id"]).status == 8
    sound = ask("audit", "verify", "--checkpoints", str(log.outside))
    assert (sound.status, sound.document["checkpoints"]) == (0, 2)
    log.do("UPDATE audit SET subject = 'eve' WHERE object = '3' AND tenant_id = 'acme'")
    shown = ask("audit", "show", entry["id"])
    assert (shown.status, shown.document["proved"]) == (11, False)
    damaged = ask("audit", "verify")
    assert (damaged.status, damaged.document["damage"][0]["position"]) == (11, 12)


def test_the_public_key_as_text(tmp_path: Path):
    key = signer(tmp_path / "key")
    assert verifier(key.verifier) == key.public
    for wrong in (
        key.verifier[:-1],
        key.verifier.replace("+", "-", 1),
        "aos.audit+00000000" + key.verifier[18:],
    ):
        with pytest.raises(AosError) as caught:
            verifier(wrong)
        assert caught.value.code == "bad_value"
