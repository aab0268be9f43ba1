"""fs_read and fs_write, as a run calls them."""

import hashlib

import pytest

from aos.runtime.secrets import Secrets
from aos.runtime.skills.world import World
from tests.fakes.skills import carry_out


def test_what_was_written_is_read(tmp_path):
    written = carry_out("fs_write", {"path": "out/a.txt", "content": "é\n"}, World(tmp_path, Secrets()))
    read = carry_out("fs_read", {"path": "out/a.txt"}, World(tmp_path, Secrets()))
    assert written.result == {"bytes": 3, "sha256": hashlib.sha256("é\n".encode()).hexdigest()}
    assert [effect.target for effect in written.side_effects] == ["out/a.txt"]
    assert read.result == {"content": "é\n", "bytes": 3}
    assert read.side_effects == ()


@pytest.mark.parametrize(("path", "code"), [("../x", "DENIED"), ("no", "NOT_FOUND"), ("binary", "BAD_REPLY")])
def test_a_refused_path_is_a_failure_with_its_code(tmp_path, path, code):
    (tmp_path / "binary").write_bytes(b"\xff")
    answer = carry_out("fs_read", {"path": path}, World(tmp_path, Secrets()))
    assert (answer.fault.code, answer.effect, answer.result) == (code, "none", None)


def test_content_has_a_limit(tmp_path):
    world = World(tmp_path, Secrets())
    assert carry_out("fs_write", {"path": "x", "content": "é" * 50}, world, max_bytes=100).fault is None
    over = carry_out("fs_write", {"path": "x", "content": "é" * 50 + "x"}, world, max_bytes=100)
    assert over.fault.code == "INPUT_TOO_LARGE"
    assert carry_out("fs_write", {"path": "x", "content": "\ud800"}, world).fault.code == "BAD_PARAMS"


def test_a_workspace_that_is_not_there_is_a_failure(tmp_path):
    assert carry_out("fs_read", {"path": "x"}, World(tmp_path / "no", Secrets())).fault.code == "NOT_FOUND"
