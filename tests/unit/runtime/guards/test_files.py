"""The workspace: regular files beneath one folder, whatever happens to the names meanwhile."""

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.runtime.guards import GuardError
from aos.runtime.guards.beneath import by_component, by_kernel, usual_opener
from aos.runtime.guards.files import Workspace

OPENERS = [by_kernel, by_component]


@pytest.fixture(params=OPENERS, ids=lambda opener: opener.__name__)
def opener(request):
    return request.param


@pytest.fixture
def root(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("SECRET")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def code_of(work) -> str:
    with pytest.raises(GuardError) as caught:
        work()
    assert caught.value.effect == "none"
    return caught.value.code


def attempt(work: Callable[[], Any]) -> Any:
    """What it returns, or the code that it fails with."""
    try:
        return work()
    except GuardError as error:
        return error.code


def test_linux_asks_its_kernel():
    assert usual_opener() is (by_kernel if sys.platform == "linux" else by_component)


def test_what_was_written_is_read(root, opener):
    with Workspace(root, opener) as workspace:
        workspace.write("a/b/c.txt", b"one")
        workspace.write("./a//b/c.txt", b"two")
        assert workspace.read("a/b/c.txt", 3) == b"two"
    assert [path.name for path in (root / "a" / "b").iterdir()] == ["c.txt"]


def test_permissions_are_kept_and_new_files_follow_the_umask(root, opener):
    (root / "tool.sh").write_text("old")
    (root / "tool.sh").chmod(0o750)
    with Workspace(root, opener) as workspace:
        workspace.write("tool.sh", b"new")
        workspace.write("new", b"")
    (root / "usual").touch()
    assert (root / "tool.sh").stat().st_mode & 0o7777 == 0o750
    assert (root / "new").stat().st_mode == (root / "usual").stat().st_mode


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret.txt",
        "/etc/passwd",
        "a/../../outside/secret.txt",
        "..",
        ".",
        "",
        "/",
        "a/",
        "a\0b",
        "\ud800",
    ],
)
def test_paths_that_leave_the_workspace_are_denied(root, opener, path):
    with Workspace(root, opener) as workspace:
        assert code_of(lambda: workspace.read(path, 100)) == "DENIED"
        assert code_of(lambda: workspace.write(path, b"x")) == "DENIED"
    assert list(root.iterdir()) == []


def test_links_out_of_the_workspace_are_not_followed(root, opener):
    (root / "file").symlink_to(root.parent / "outside" / "secret.txt")
    (root / "folder").symlink_to(root.parent / "outside")
    (root / "up").symlink_to("../outside")
    (root / "process").symlink_to("/proc/self/root")
    with Workspace(root, opener) as workspace:
        for path in ("file", "folder/secret.txt", "up/secret.txt", "process/etc/passwd"):
            assert code_of(lambda path=path: workspace.read(path, 100)) in ("DENIED", "NOT_FOUND")
            assert code_of(lambda path=path: workspace.write(path, b"x")) in ("DENIED", "NOT_FOUND")
    assert (root.parent / "outside" / "secret.txt").read_text() == "SECRET"
    assert len(list((root.parent / "outside").iterdir())) == 1


def test_links_inside_are_followed_where_the_kernel_can_tell(root):
    (root / "real").mkdir()
    (root / "real" / "x").write_text("x")
    (root / "link").symlink_to("real")
    (root / "out").symlink_to("..")
    with Workspace(root, by_kernel) as workspace:
        assert workspace.read("link/x", 10) == b"x"
        with pytest.raises(GuardError, match="out/x: it leads out of the workspace"):
            workspace.read("out/x", 10)
    with Workspace(root, by_component) as workspace:
        assert code_of(lambda: workspace.read("link/x", 10)) in ("DENIED", "NOT_FOUND")


def test_only_regular_files_are_touched_and_nothing_hangs(root, opener):
    os.mkfifo(root / "fifo")
    (root / "folder").mkdir()
    with Workspace(root, opener) as workspace:
        for path in ("fifo", "folder"):
            assert code_of(lambda path=path: workspace.read(path, 100)) == "DENIED"
            assert code_of(lambda path=path: workspace.write(path, b"x")) == "DENIED"
        assert code_of(lambda: workspace.read("fifo/x", 100)) == "NOT_FOUND"
    with Workspace(Path("/dev"), opener) as devices:
        assert code_of(lambda: devices.read("zero", 100)) == "DENIED"
        assert code_of(lambda: devices.write("null", b"x")) == "DENIED"


@pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
def test_the_limit_of_a_file_is_exact(root, opener, size, fits):
    (root / "x").write_bytes(b"x" * size)
    with Workspace(root, opener) as workspace:
        if fits:
            assert len(workspace.read("x", 100)) == size
        else:
            assert code_of(lambda: workspace.read("x", 100)) == "INPUT_TOO_LARGE"


def test_a_missing_file_and_a_missing_workspace_are_not_found(root, opener):
    with Workspace(root, opener) as workspace:
        assert code_of(lambda: workspace.read("a/b", 100)) == "NOT_FOUND"
        shutil.rmtree(root)
        assert code_of(lambda: workspace.write("a/b", b"")) == "NOT_FOUND"
    assert code_of(lambda: Workspace(root, opener)) == "NOT_FOUND"


def test_a_write_that_fails_leaves_the_file_as_it_was(root):
    (root / "x").write_text("before")
    program = """if True:
        import resource, sys
        from pathlib import Path
        from aos.runtime.guards import GuardError
        from aos.runtime.guards.files import Workspace
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            Workspace(Path(sys.argv[1])).write("x", b"y" * 2000)
        except GuardError as error:
            print(error.code, error.effect)
    """
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "DISK_FULL none\n"
    assert [(path.name, path.read_text()) for path in root.iterdir()] == [("x", "before")]


def test_readers_never_see_half_a_file(root, opener):
    versions = [bytes([letter]) * 200_000 for letter in b"abc"]
    with Workspace(root, opener) as workspace:
        workspace.write("x", versions[0])
        done = threading.Event()

        def write() -> None:
            for turn in range(60):
                workspace.write("x", versions[turn % 3])
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not done.is_set():
            assert workspace.read("x", 1_000_000) in versions
        writer.join()


SWAPS = 20_000


def test_links_swapped_in_meanwhile_never_lead_out(root, opener):
    """Another process exchanges a folder and a link to the outside all the time, as fast as it can."""
    (root / "way").mkdir()
    (root / "way" / "secret.txt").write_text("inside")
    (root / "link").symlink_to("../outside")
    stop = root / "stop"
    swapper = subprocess.Popen(
        [sys.executable, "-c", SWAPPER, str(root / "way"), str(root / "link"), str(stop)],
        stdout=subprocess.PIPE,
    )
    seen: Counter[Any] = Counter()
    with Workspace(root, opener) as workspace:
        for turn in range(SWAPS):
            seen[attempt(lambda: workspace.read("way/secret.txt", 100))] += 1
            if turn % 50 == 0:
                seen["write", attempt(lambda: workspace.write("way/written.txt", b"x"))] += 1
    stop.touch()
    assert int(swapper.communicate()[0]) >= SWAPS
    assert seen.keys() <= {b"inside", "DENIED", "NOT_FOUND"} | {
        ("write", end) for end in (None, "DENIED", "NOT_FOUND")
    }
    assert seen[b"inside"] > 100
    assert seen["DENIED"] + seen["NOT_FOUND"] > 100
    assert [path.name for path in (root.parent / "outside").iterdir()] == ["secret.txt"]


# renameat2(2) with RENAME_EXCHANGE: the two names change places at once.
SWAPPER = """
import ctypes, os, sys
way, link, stop = map(os.fsencode, sys.argv[1:])
swap, swaps = ctypes.CDLL(None).renameat2, 0
while not os.path.exists(stop):
    swaps += sum(swap(-100, way, -100, link, 2) == 0 for _ in range(100))
print(swaps)
"""


@given(st.text(max_size=30))
def test_any_path_is_a_file_inside_or_refused(tmp_path_factory, path):
    root = tmp_path_factory.mktemp("any")
    with Workspace(root) as workspace:
        if attempt(lambda: workspace.write(path, b"x")) is None:
            assert workspace.read(path, 1) == b"x"
        else:
            assert attempt(lambda: workspace.write(path, b"x")) == "DENIED"
            assert not list(root.iterdir())
