"""`aos run` that is killed, told to stop, or has nobody to tell: what is committed stays, and is not done again."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.process import aos, clean, command, inline
from tests.cli.run.running import HANGS, Service, codes, get, names_of, ok, post, run, service, started
from tests.cli.schemas import faults

__all__ = ["service"]


def test_after_a_kill_what_is_committed_is_not_done_again(service: Service, tmp_path: Path) -> None:
    service.script = [ok(), HANGS]
    process = started(tmp_path, "--plan", inline(post(service), get(service), post(service)))
    service.wait_for(2)
    process.kill()
    process.communicate()
    (name,) = names_of(tmp_path)
    done = run(tmp_path, "--resume", name, "--json")
    assert done.status == 0
    assert codes(done.document) == [("s1", None), ("s2", "INTERRUPTED"), ("s2", None), ("s3", None)]
    assert done.document["cost"]["spent_cents"] == 0
    assert (service.count("POST"), service.count("GET")) == (2, 2)


def test_a_run_whose_process_died_is_told_from_one_that_goes_on(service: Service, tmp_path: Path) -> None:
    def listed() -> list[tuple[str, bool, float | None]]:
        found = aos("runs", "list", "--ledger", "ledger.db", "--json", cwd=tmp_path).document
        assert faults(found) == []
        return [(one["status"], one["interrupted"], one["spent_cents"]) for one in found["runs"]]

    service.script = [HANGS, ok()]
    process = started(tmp_path, "--plan", inline(get(service)))
    service.wait_for(1)
    assert listed() == [("running", False, 0)]
    assert (
        "unknown"
        not in aos("runs", "show", "--ledger", "ledger.db", cwd=tmp_path).text.partition("attempts")[2]
    )
    process.kill()
    process.communicate()
    (name,) = names_of(tmp_path)
    assert listed() == [("running", True, None)]
    told = aos("runs", "list", "--ledger", "ledger.db", cwd=tmp_path).text
    assert "interrupted" in told
    assert f"aos run --resume {name}" in told
    shown = aos("runs", "show", "--ledger", "ledger.db", "--json", cwd=tmp_path).document
    assert (faults(shown), shown["interrupted"], shown["spent_cents"]) == ([], True, None)
    watched = aos("runs", "watch", name, "--ledger", "ledger.db", cwd=tmp_path)
    assert (watched.status, watched.out.count(b"\n")) == (0, 2)
    assert (
        watched.err.decode()
        == f"the process of {name} has died; `aos run --resume {name} --ledger ledger.db` goes on with it\n"
    )
    assert run(tmp_path, "--resume", name, "--json").document["status"] == "succeeded"
    assert [one[:2] for one in listed()] == [("succeeded", False)]


def test_after_a_kill_a_write_of_unknown_fate_waits_for_somebody_who_knows(
    service: Service, tmp_path: Path
) -> None:
    service.script = [HANGS]
    process = started(tmp_path, "--plan", inline(post(service), get(service)))
    service.wait_for(1)
    process.kill()
    process.communicate()
    (name,) = names_of(tmp_path)
    for _ in range(2):
        done = run(tmp_path, "--resume", name, "--json")
        assert (done.status, done.document["status"], done.document["cause"]) == (
            10,
            "paused",
            "unknown_effect",
        )
        assert faults(done.document) == []
    assert len(service.server.received) == 1


@pytest.mark.parametrize(("flag", "requests"), [("--committed", 2), ("--not-committed", 3)])
def test_once_somebody_knows_the_run_goes_on(
    flag: str, requests: int, service: Service, tmp_path: Path
) -> None:
    service.script = [HANGS]
    process = started(tmp_path, "--plan", inline(post(service), get(service)))
    service.wait_for(1)
    process.kill()
    process.communicate()
    (name,) = names_of(tmp_path)
    told = aos("runs", "reconcile", name, "--step", "s1", flag, "--ledger", "ledger.db", cwd=tmp_path)
    assert told.status == 0
    assert run(tmp_path, "--resume", name, "--json").document["status"] == "succeeded"
    assert len(service.server.received) == requests


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_ends_the_run_cleanly(number: int, exit_code: int, service: Service, tmp_path: Path) -> None:
    service.script = [HANGS]
    process = started(tmp_path, "--plan", inline(get(service)))
    service.wait_for(1)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    document = json.loads(out)
    assert (process.returncode, err) == (exit_code, b"")
    assert (document["status"], codes(document)) == ("cancelled", [("s1", "CANCELLED")])
    assert run(tmp_path, "--resume", document["run"]).status == 0


def test_a_signal_in_the_middle_of_a_write_leaves_it_to_be_found_out(
    service: Service, tmp_path: Path
) -> None:
    service.script = [HANGS]
    process = started(tmp_path, "--plan", inline(post(service)))
    service.wait_for(1)
    process.send_signal(signal.SIGINT)
    document = json.loads(process.communicate(timeout=20)[0])
    assert (process.returncode, document["cost"]["spent_cents"]) == (130, None)
    assert "aos runs reconcile" in document["next_actions"][0]


def test_a_run_goes_on_when_whoever_reads_its_events_has_gone(service: Service, tmp_path: Path) -> None:
    plan = inline(post(service), post(service), post(service))
    process = subprocess.Popen(
        command("run", "--plan", plan, "--ledger", "ledger.db", "--allow-private", "--events"),
        cwd=tmp_path,
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    assert json.loads(process.stdout.readline())["event"] == "run_started"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(20) == 0
    assert service.count("POST") == 3
    shown = aos("runs", "show", "--ledger", "ledger.db", "--json", cwd=tmp_path).document
    assert shown["status"] == "succeeded"


def test_nothing_runs_where_its_events_have_nowhere_to_go(service: Service, tmp_path: Path) -> None:
    words = command(
        "run", "--plan", inline(post(service)), "--ledger", "ledger.db", "--allow-private", "--events"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *words],
        cwd=tmp_path,
        env=clean(),
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == 12
    assert b"could not be written" in done.stderr
    assert not service.server.received
