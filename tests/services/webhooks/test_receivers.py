"""The example receivers: each takes what a live secret has signed, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from aos.webhooks import new_secret, sign

EXAMPLES = Path(__file__).parents[3] / "examples/webhooks"
PROGRAMS: dict[str, tuple[str | Path, ...]] = {
    "python": (sys.executable, EXAMPLES / "receiver.py"),
    "node": ("node", EXAMPLES / "receiver.mjs"),
}
SCRIPT = EXAMPLES / "webhook.sh"
BODY = b'{"request": "r1", "note": "\xc3\xbc"}'


@contextmanager
def running(program: str, secrets: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    words: list[str | Path] = [*PROGRAMS[program], secrets, "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().split()[1]}", process
        process.kill()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return write(tmp_path, new_secret())


def write(folder: Path, *live: str) -> Path:
    path = folder / "secrets"
    path.write_text("".join(f"{secret}\n" for secret in live))
    return path


def post(url: str, live: list[str], message_id: str, body: bytes = BODY, age_s: int = 0) -> int:
    headers = sign(live, message_id, datetime.now(UTC) - timedelta(seconds=age_s), body)
    return httpx.post(url, content=body, headers=headers).status_code


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_receiver_takes_what_a_live_secret_has_signed(program: str, secrets: Path, tmp_path: Path) -> None:
    (old,), new, foreign = secrets.read_text().split(), new_secret(), new_secret()
    with running(program, secrets) as (url, process):
        assert post(url, [old], "msg_1") == 200
        assert post(url, [old], "msg_1") == 200  # sent again
        assert post(url, [new, old], "msg_2") == 200  # the sender has rotated, the receiver not yet
        assert post(url, [new], "msg_3") == 401
        write(tmp_path, old, new)
        assert post(url, [new], "msg_3") == 200
        assert post(url, [foreign], "msg_4") == 401
        assert post(url, [old], "msg_5", age_s=301) == 401
        assert post(url, [old], "msg_6", age_s=-400) == 401
        assert httpx.post(url, content=BODY).status_code in (400, 401)
        process.kill()
        assert process.stdout is not None
        received = [line.split()[1] for line in process.stdout]
    assert received == ["msg_1", "msg_2", "msg_3"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_the_script_signs_they_take(program: str, secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(BODY)
    with running(program, secrets) as (url, _):
        done = subprocess.run([SCRIPT, "send", secrets, url, tmp_path / "body"], capture_output=True)
        assert (done.stdout, done.stderr) == (b"200\n", b"")


def test_the_script_verifies_what_we_sign(secrets: Path, tmp_path: Path) -> None:
    (secret,) = secrets.read_text().split()

    def verify(live: list[str], age_s: int = 0, body: bytes = BODY) -> int:
        headers = sign(live, "msg_1", datetime.now(UTC) - timedelta(seconds=age_s), BODY)
        lines = ["HTTP/1.1 200 OK", *(f"{name.title()}: {value}" for name, value in headers.items()), ""]
        (tmp_path / "headers").write_text("\r\n".join(lines))
        (tmp_path / "body").write_bytes(body)
        words: list[str | Path] = [SCRIPT, "verify", secrets, tmp_path / "headers", tmp_path / "body"]
        return subprocess.run(words, capture_output=True).returncode

    assert verify([secret]) == verify([new_secret(), secret]) == 0
    assert verify([new_secret()]) == verify([secret], age_s=301) == verify([secret], age_s=-90) == 1
    assert verify([secret], body=BODY + b"\n") == 1


def test_no_secret_shows_among_the_words_of_a_process(secrets: Path, tmp_path: Path) -> None:
    (secret,) = secrets.read_text().split()
    (tmp_path / "body").write_bytes(BODY)
    words: list[str | Path] = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=execve",
        "-s",
        "9999",
        "-o",
        tmp_path / "log",
    ]
    subprocess.run(
        [*words, SCRIPT, "send", secrets, "http://127.0.0.1:9", tmp_path / "body"], capture_output=True
    )
    log = (tmp_path / "log").read_text()
    assert "openssl" in log
    assert secret.removeprefix("whsec_") not in log
