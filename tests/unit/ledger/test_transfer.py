"""Runs move to another ledger whole and as they were, or not at all."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.running.runs import export, import_from, show
from aos.errors import AosError
from aos.ledger.ledger import Ledger
from aos.ledger.verify import verify
from tests.unit.ledger.build import intent, start, write_run


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "ledger.db"
    with Ledger(path) as ledger:
        write_run(ledger, "r1")
        ledger.begin(start("r2"))
        ledger.intend(intent(run="r2"))
        write_run(ledger, "r3", budget=None)
    return path


@pytest.fixture(scope="module")
def lines(source: Path) -> list[str]:
    return list(export(source))


def taken_in(lines: list[str], folder: Path) -> Path:
    file = folder / "runs.jsonl"
    file.write_bytes("".join(f"{line}\n" for line in lines).encode())
    import_from(folder / "new.db", str(file))
    return folder / "new.db"


def test_what_arrives_is_what_was_sent(source: Path, lines: list[str], tmp_path: Path) -> None:
    new = taken_in(lines, tmp_path)
    assert not verify(new).damage
    for run in ("r1", "r2", "r3"):
        assert show(new, run) == show(source, run)


def test_some_runs_alone(source: Path, tmp_path: Path) -> None:
    new = taken_in(list(export(source, ["r3", "r2"])), tmp_path)
    assert not verify(new).damage
    assert show(new, "r3") == show(source, "r3")
    with pytest.raises(AosError, match="no run"):
        show(new, "r1")


def test_what_is_there_stays(lines: list[str], tmp_path: Path) -> None:
    with Ledger(tmp_path / "new.db") as ledger:
        ledger.begin(start("r1", budget="77"))
    file = tmp_path / "runs.jsonl"
    file.write_text("\n".join(lines))
    assert import_from(tmp_path / "new.db", str(file)) == (("r2", "r3"), ("r1",))
    assert import_from(tmp_path / "new.db", str(file)) == ((), ("r1", "r2", "r3"))
    assert str(show(tmp_path / "new.db", "r1").state.money.budget) == "77"
    assert not verify(tmp_path / "new.db").damage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@given(st.data())
def test_no_damage_gets_in(lines: list[str], folder: Path, data: st.DataObject) -> None:
    """A byte that is another, a line that is missing, repeated or elsewhere: nothing is taken in."""
    whole = "".join(f"{line}\n" for line in lines).encode()
    at = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(len(lines[0]) + 1, len(whole) - 2))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    kind = data.draw(st.sampled_from(["byte", "missing", "repeated", "moved", "cut"]))
    match kind:
        case "byte":
            damaged = whole[:place] + bytes([other]) + whole[place + 1 :]
        case "cut":
            damaged = whole[:place]
        case _:
            changed = list(lines)
            line = changed.pop(at)
            if kind == "repeated":
                changed[at:at] = [line, line]
            elif kind == "moved":
                changed.insert((at + 1) % len(lines), line)
            damaged = "".join(f"{line}\n" for line in changed).encode()
    (folder / "runs.jsonl").write_bytes(damaged)
    with pytest.raises(AosError) as refused:
        import_from(folder / "new.db", str(folder / "runs.jsonl"))
    assert refused.value.code in ("ledger_damaged", "unreadable")
    check = verify(folder / "new.db")
    assert (check.runs, check.damage) == (0, ())


def test_what_was_forged_whole_still_has_to_make_sense(lines: list[str], tmp_path: Path) -> None:
    """Hashes that fit, of a body that means nothing."""
    from aos.ledger.entries import seal

    forged = seal(2, "r1", "begun", {"plan": 7}, "0" * 64)
    line = json.dumps({"entry": {**forged._asdict(), "previous": ""}})
    text = f"{lines[0]}\n{line}\n"
    end = {"content": 0, "entry": 1, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (tmp_path / "runs.jsonl").write_text(text + json.dumps({"end": end}))
    with pytest.raises(AosError, match="line 2"):
        import_from(tmp_path / "new.db", str(tmp_path / "runs.jsonl"))
