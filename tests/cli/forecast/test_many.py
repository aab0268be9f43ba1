"""`aos simulate --many` as a process: a line of JSON for each line, in order, however long the input goes on."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import STEP, Finished, aos, clean, command
from tests.cli.schemas import faults

GOOD = [STEP]
WAITS = [{**STEP, "approval": True}]
LATE = {"plan": GOOD, "deadline_ms": 1, "id": "late"}
OPEN = {"plan": [{"skill": "llm_invoke", "params": {"prompt": "?", "model": "nobody/knows"}}], "budget": 5}
WRONG = {"plan": [{"skill": "fs_rea"}], "id": "wrong"}
CORES = len(os.sched_getaffinity(0))


def lines_of(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def many(*values: Any, words: tuple[str, ...] = ()) -> Finished:
    return aos("simulate", "--many", "--samples", "200", *words, stdin=lines_of(*values))


def documents(done: Finished) -> list[dict[str, Any]]:
    assert done.err == b""
    return [json.loads(line) for line in done.out.splitlines()]


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command("simulate", "--many", "--samples", "200", *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                if stream:
                    stream.close()


def ask(process: subprocess.Popen[bytes], value: Any) -> dict[str, Any]:
    """One line in, one line out, with the input left open."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines_of(value))
    process.stdin.flush()
    document: dict[str, Any] = json.loads(process.stdout.readline())
    return document


def children(process: subprocess.Popen[bytes]) -> list[int]:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def gone(pids: list[int]) -> bool:
    """Whether the processes end within ten seconds; one that nobody waits for is a zombie."""
    for _ in range(200):
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_each_line_is_answered_in_its_place() -> None:
    done = many(GOOD, WRONG, LATE, {"steps": GOOD})
    found = documents(done)
    assert [(d["line"], d["id"], d["schema"]) for d in found] == [
        (1, None, "aos.simulation/1"),
        (2, "wrong", "aos.problem/1"),
        (3, "late", "aos.simulation/1"),
        (4, None, "aos.simulation/1"),
    ]
    assert [d["exit_code"] for d in found] == [0, 2, 3, 0]
    assert [faults(d) for d in found] == [[]] * 4


def test_a_thousand_lines_keep_their_order() -> None:
    values = [{"plan": GOOD * (1 + i % 5), "id": str(i), "seed": i} for i in range(1_000)]
    found = documents(many(*values, words=("--summary",)))
    assert [(d["line"], d["id"], d["seed"]) for d in found] == [(i + 1, str(i), i) for i in range(1_000)]
    assert faults(found[0]) == []


def test_the_answers_are_those_of_single_plans() -> None:
    alone = aos("simulate", "-", "--samples", "200", "--json", stdin=json.dumps(GOOD).encode()).document
    (together,) = documents(many(GOOD))
    left_out = {"line", "id", "attribution", "evidence", "alternatives", "alternatives_search"}
    assert {key: value for key, value in together.items() if key not in left_out} == {
        key: value for key, value in alone.items() if key not in left_out
    }


@pytest.mark.parametrize(
    ("values", "words", "status"),
    [
        ([], (), 0),
        ([GOOD, WAITS], (), 0),
        ([GOOD, LATE], (), 3),
        ([OPEN, GOOD], (), 5),
        ([OPEN, LATE], (), 3),
        ([WRONG, LATE, OPEN], (), 2),
        ([LATE, OPEN], ("--fail-on", "none"), 0),
        ([WAITS, OPEN], ("--fail-on", "approval"), 8),
        ([WRONG], ("--fail-on", "none"), 2),
    ],
)
def test_the_lowest_status_but_0_is_that_of_the_whole(
    values: list[Any], words: tuple[str, ...], status: int
) -> None:
    assert many(*values, words=words).status == status


def test_blank_lines_are_left_out_and_the_last_needs_no_end() -> None:
    done = aos("simulate", "--many", "--samples", "200", stdin=b"\n  \r\n" + json.dumps(GOOD).encode())
    assert [d["line"] for d in documents(done)] == [3]


@pytest.mark.parametrize(
    "line", [b"{", b"\xff", b"\x00", b"[" * 5_000, b'"' + b"x" * 2_000_000 + b'"', b"5", b"NaN"]
)
def test_no_line_is_too_wrong(line: bytes) -> None:
    done = aos("simulate", "--many", "--samples", "200", stdin=line + b"\n" + lines_of(GOOD))
    first, second = documents(done)
    assert (done.status, first["code"], first["line"]) == (2, "invalid_plan", 1)
    assert faults(first) == []
    assert (second["verdict"], second["line"]) == ("feasible", 2)


@pytest.mark.parametrize(
    "words", [("plan.json",), ("--plan", "[]"), ("--input", "a=1"), ("--samples", "3"), ("--budget", "x")]
)
def test_words_that_make_no_sense(words: tuple[str, ...]) -> None:
    done = aos("simulate", "--many", *words, "--json", stdin=lines_of(GOOD))
    assert (done.status, done.document["code"]) == (2, "usage")


def test_an_answer_comes_while_the_input_is_open() -> None:
    with running() as process:
        for i in range(3):
            assert ask(process, {"plan": GOOD, "id": str(i)})["id"] == str(i)
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.skipif(CORES == 1, reason="there is one core")
def test_every_core_is_used() -> None:
    with running() as process:
        ask(process, GOOD)
        assert len(children(process)) == CORES


def test_no_more_is_read_than_can_be_answered() -> None:
    """Nobody reads the answers; the input would go on for ever."""
    lines = lines_of({"steps": GOOD, "x-note": "." * 20_000}) * 50
    with running("--summary") as process:
        assert process.stdin
        os.set_blocking(process.stdin.fileno(), False)
        taken = 0
        while taken < 30_000_000 and select.select([], [process.stdin], [], 3)[1]:
            taken += os.write(process.stdin.fileno(), lines[taken % len(lines) :])
        assert 100_000 < taken < 10_000_000


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_all_processes_without_a_word(sent: signal.Signals, status: int) -> None:
    with running() as process:
        ask(process, GOOD)
        others = children(process)
        os.killpg(process.pid, sent) if sent is signal.SIGINT else process.send_signal(sent)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (status, b"", b"")
        assert gone(others)


def test_processes_do_not_outlive_the_one_that_was_asked() -> None:
    with running() as process:
        ask(process, GOOD)
        others = children(process)
        process.kill()
        process.wait(30)
        assert gone(others)


def test_a_reader_who_leaves_early_is_no_failure() -> None:
    with running() as process:
        ask(process, GOOD)
        others = children(process)
        assert process.stdout
        process.stdout.close()
        assert process.stdin
        process.stdin.write(lines_of(*[GOOD] * 50))
        process.stdin.flush()
        assert process.wait(30) == 0
        assert process.stderr
        assert process.stderr.read() == b""
        assert gone(others)


def test_a_full_disk_is_status_12() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("simulate", "--many"),
            input=lines_of(GOOD),
            stdout=full,
            stderr=subprocess.PIPE,
            env=clean(),
        )
    assert done.returncode == 12
    assert b"Traceback" not in done.stderr


def test_a_summary_is_of_many() -> None:
    refused = aos("simulate", "--plan", json.dumps(GOOD), "--summary", "--json").document
    assert (refused["code"], "--summary" in refused["detail"]) == ("usage", True)
