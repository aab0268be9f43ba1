"""A backup that is not what was written, or not what was there, is found: whatever was done to it."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aos.errors import AosError
from aos.wire import digests
from aos_server.db.migrate import head
from aos_server.services.backups.folder import Folder
from aos_server.services.backups.making import verify
from aos_server.services.backups.manifest import Manifest
from tests.services.backups.backing import Backed


@pytest.fixture
def copy(shared: Backed, tmp_path: Path) -> Path:
    """A copy of the good backup, to be damaged."""
    (tmp_path / "backups").mkdir(0o700)
    name = shared.here()[0]
    shutil.copytree(shared.path / name, tmp_path / "backups" / name)
    return tmp_path / "backups" / name


def tried(shared: Backed, copy: Path) -> Manifest:
    return asyncio.run(verify(shared.site._replace(folder=Folder(copy.parent)), copy.name))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def edit(copy: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """By somebody who knows how the digest is made."""
    path = copy / "manifest.json"
    document = json.loads(path.read_text())
    del document["digest"]
    change(document)
    path.write_text(json.dumps({**document, "digest": digests.digest(document)}))


def test_what_was_not_touched_is_good(shared, copy):
    found = tried(shared, copy)
    assert (found.state, found.trial and found.trial.wrong) == ("good", ())
    assert found.content.tree_size == 22
    assert shared.scratches() == []


@pytest.mark.parametrize("place", [0, 0.5, 0.999])
def test_a_flipped_bit_is_found_wherever_it_is(shared, copy, place):
    flip(copy / "database.dump", int(place * (copy / "database.dump").stat().st_size))
    found = tried(shared, copy)
    assert found.state == "bad"
    assert found.trial is not None
    assert "the dump is another" in found.trial.wrong[0]
    assert Folder(copy.parent).manifest(copy.name).state == "bad"
    assert shared.scratches() == []


@pytest.mark.parametrize("damage", ["tail", "gone", "manifest gone", "manifest cut", "edited", "another's"])
def test_what_files_say_of_each_other_is_held_against_them(shared, copy, damage):
    dump, manifest = copy / "database.dump", copy / "manifest.json"
    if damage == "tail":
        dump.write_bytes(dump.read_bytes()[:-1])
    elif damage == "manifest cut":
        manifest.write_bytes(manifest.read_bytes()[:-200])
    elif damage == "edited":
        manifest.write_text(manifest.read_text().replace('"state": "good"', '"state": "best"'))
    elif damage == "another's":
        copy = copy.rename(copy.with_name("20260101T000000Z-000000"))
    else:
        (manifest if "manifest" in damage else dump).unlink()
    with pytest.raises(AosError) as refused:
        tried(shared, copy)
    assert refused.value.code == "backup_damaged"
    assert not Folder(copy.parent).find(copy.name).is_good


def test_the_dump_of_another_backup_is_found(shared, copy):
    other = shared.create()
    shutil.copy(shared.path / other.name / "database.dump", copy / "database.dump")
    edit(copy, lambda document: document["dump"].update(bytes=other.size))
    found = tried(shared, copy)
    assert found.trial is not None
    assert "the dump is another" in found.trial.wrong[0]


def test_a_manifest_that_was_edited_with_its_digest_is_found_by_what_is_restored(shared, copy):
    def change(document: dict[str, Any]) -> None:
        tables = document["tables"]
        del tables["public.budgets"]
        tables["public.gone"] = {"rows": 1, "digest": "0" * 32}
        tables["public.runs"]["rows"] += 1
        tables["public.audit"]["digest"] = "0" * 32
        document["sequences"]["public.outbox_sequence_seq"] = "9000000000000000000"
        document["objects"]["table public.audit"] = "0" * 32
        document["database"]["schema_revision"] = "0001"
        document["audit"]["root"] = "0" * 64

    edit(copy, change)
    found = tried(shared, copy)
    assert found.trial is not None
    assert set(found.trial.wrong) == {
        f"the schema is {head()}, not 0001",
        "table public.budgets is not in the manifest",
        "table public.gone is missing",
        "table public.runs has 2 rows, not 3",
        "table public.audit has other rows",
        "sequence public.outbox_sequence_seq is behind: it would give numbers again",
        "table public.audit is another",
        "the audit log's tree has 22 rows or another root, not 22",
    }


def test_an_audit_log_that_was_changed_before_the_backup_makes_no_good_one(backed):
    third = "(SELECT audit_id FROM audit_leaves WHERE position = 3)"
    backed.log.do(f"UPDATE audit SET object = 'x' WHERE id = {third}")
    backed.log.do(
        "DELETE FROM audit_checkpoints WHERE size = 22; DELETE FROM audit_leaves WHERE position > 11"
    )
    found = backed.create()
    assert (found.state, found.content.tree_size) == ("bad", 12)
    assert found.trial is not None
    said = "\n".join(found.trial.wrong)
    assert "is not what it was when it was hashed" in said
    assert "was put in beside the tree" in said
