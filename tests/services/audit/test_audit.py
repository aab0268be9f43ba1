"""The audit log: sequenced once whoever works, and whatever somebody does to it afterwards is found."""

import asyncio
from uuid import UUID

import pytest
from prometheus_client.registry import REGISTRY

from aos.domain.merkle import is_included, leaf_hash
from aos.errors import AosError
from aos.wire.digests import canonical
from aos_server.db.pool import Database
from aos_server.services.audit.checkpoints import opened, read_notes, signer
from aos_server.services.audit.log import BLOCK, Roots, Shown, Verified, page, sequence, show, verify
from tests.services.audit.log import TEN, Log


@pytest.fixture
def log(base, tmp_path) -> Log:
    """A log of 20 rows with two checkpoints."""
    log = Log(base, tmp_path)
    for _ in range(2):
        base.server.execute(TEN, base.name)
        assert log.sequence() == 10
    return log


def test_a_sound_log_is_found_sound(log):
    assert log.verify()._replace(root=b"") == Verified(20, 20, 2, [])
    assert log.sequence() == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET subject = 'eve' WHERE object = '3'", "is not what it was"),
        ("UPDATE audit SET at = at + interval '1 us' WHERE object = '3'", "is not what it was"),
        ("UPDATE audit SET details = '{}' WHERE object = '3'", "is not what it was"),
        ("DELETE FROM audit WHERE object = '3'", "is gone"),
        ("DELETE FROM audit_leaves WHERE position = 3", "comes leaf"),
        (f"DELETE FROM audit_pending; {TEN}", "put in beside the tree"),
        ("UPDATE audit_leaves SET position = CASE position WHEN 3 THEN 1000 ELSE 3 END WHERE position IN (3, 4); "
         "UPDATE audit_leaves SET position = 4 WHERE position = 1000", "are not those that were signed"),
        ("DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_leaves WHERE position > 14); "
         "DELETE FROM audit_leaves WHERE position > 14; DELETE FROM audit_checkpoints", "20 rows were signed; 15"),
        ("DELETE FROM audit; DELETE FROM audit_leaves; DELETE FROM audit_checkpoints", "20 rows were signed; 0"),
    ],
    ids=["actor", "time", "details", "row", "leaf", "insert", "reorder", "tail", "everything"],
)  # fmt: skip
def test_damage_is_found(log, statement, said):
    log.do(statement)
    assert said in " ".join(damage.detail for damage in log.verify().damage)


def test_an_edit_whose_hash_was_made_to_fit_is_found_by_the_notes(log):
    row = log.run(lambda database: page(database, "acme", limit=1, about="3"), "aos_app")[0][0]
    forged = leaf_hash(canonical({**row, "subject": "eve"})).hex()
    log.do(f"UPDATE audit SET subject = 'eve' WHERE id = '{row['id']}'; "
           f"UPDATE audit_leaves SET hash = '\\x{forged}' WHERE audit_id = '{row['id']}'")  # fmt: skip
    assert "are not those that were signed" in log.verify().damage[0].detail


def test_a_note_that_was_forged_is_found(log, tmp_path):
    other = signer(tmp_path / "other.key")
    first, second = read_notes(log.outside)
    signed = opened(second, log.signer.public)
    assert signed is not None
    notes = [first, other.note(signed)]
    found = log.run(lambda database: verify(database, notes, log.signer.public))
    assert [damage.detail for damage in found.damage] == ["note 2 is not signed with this key"]


def test_nothing_more_is_signed_over_a_tail_that_was_cut(log):
    log.sequence()
    assert REGISTRY.get_sample_value("nova_audit_sound") == 1
    log.do("DELETE FROM audit_leaves WHERE position > 9; DELETE FROM audit_checkpoints WHERE size > 10")
    with pytest.raises(AosError) as caught:
        log.sequence()
    assert caught.value.code == "audit_damaged"
    assert REGISTRY.get_sample_value("nova_audit_sound") == 0


def test_three_sequence_at_once_and_every_row_once(base, tmp_path):
    log = Log(base, tmp_path)

    async def all_of_it(database: Database) -> None:
        for _ in range(12):
            await sequence(database, log.signer, log.outside)

    async def act(database: Database) -> None:
        async def write() -> None:
            for _ in range(10):
                await asyncio.to_thread(base.server.execute, TEN, base.name)

        await asyncio.gather(write(), *(all_of_it(database) for _ in range(3)))
        await sequence(database, log.signer, log.outside)

    log.run(act)
    assert log.verify()._replace(checkpoints=0, root=b"") == Verified(100, 100, 0, [])


def test_a_note_that_a_killed_worker_did_not_write_is_written_by_the_next(log):
    log.outside.write_text(
        "".join(f"{note}\n" for note in read_notes(log.outside)[:1]) + "aos.audit\n20\nhal"
    )
    assert log.sequence() == 0
    assert len(read_notes(log.outside)) == 2
    assert log.verify()._replace(root=b"") == Verified(20, 20, 2, [])


def test_a_row_is_shown_with_its_proof_and_another_tenants_is_not_found(log):
    row = log.run(lambda database: page(database, "acme", limit=1, about="3"), "aos_app")[0][0]
    assert is_proved(
        log, log.run(lambda database: show(database, Roots(), "acme", UUID(row["id"])), "aos_app")
    )
    with pytest.raises(AosError) as caught:
        log.run(lambda database: show(database, Roots(), "evil", UUID(row["id"])), "aos_app")
    assert caught.value.code == "not_found"


def is_proved(log: Log, shown: Shown) -> bool:
    checkpoint = opened(shown.checkpoint or "", log.signer.public)
    assert checkpoint is not None
    assert shown.position is not None
    leaf = leaf_hash(canonical(shown.entry))
    return is_included(leaf, shown.position, checkpoint.size, shown.proof, checkpoint.root)


def test_a_proof_needs_the_leaves_of_one_block_also_when_the_log_has_grown(log):
    """From the second question on the blocks before are remembered: they may even be gone."""
    roots = Roots()

    def grow(last: int) -> None:
        log.base.server.execute(TEN.replace("(1, 10)", f"(21, {last})"), log.base.name)
        while log.sequence():
            pass

    def proved(place: int) -> bool:
        ((row_id,),) = log.base.rows(f"SELECT audit_id FROM audit_leaves WHERE position = {place}")
        return is_proved(log, log.run(lambda database: show(database, roots, "acme", row_id), "aos_app"))

    grow(BLOCK + 2)
    assert all(proved(place) for place in (0, BLOCK - 1, BLOCK, BLOCK + 1))
    grow(BLOCK + 22)
    log.do("DELETE FROM audit_leaves WHERE position = 7")
    assert proved(2 * BLOCK + 1)
    with pytest.raises(AosError, match="some are gone"):
        proved(8)


def test_pages_hold_every_row_once(log):
    async def act(database: Database) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            entries, after = await page(database, "acme", limit=7, after=after)
            found += [entry["id"] for entry in entries]
            if after is None:
                return found

    found = log.run(act, "aos_app")
    assert (len(found), len(set(found))) == (20, 20)


def test_the_key_is_the_servers_alone(tmp_path):
    path = tmp_path / "audit.key"
    first = signer(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signer(path).public == first.public
    path.chmod(0o640)
    with pytest.raises(AosError) as caught:
        signer(path)
    assert caught.value.code == "unsafe_setting"
