"""The end of a server under load: whoever was let in is answered, and nobody waits at a door that nobody opens."""

import json
import os
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.server.processes import aos_server
from tests.services.processes import children_of, listens, wait_for
from tests.services.serving.settings import SERVE

ENV = {**SERVE, "DATABASE_URL": "postgresql://aos_app:x@127.0.0.1:1/aos"}


@pytest.mark.parametrize("processes", ["1", "2"])
def test_while_the_last_are_answered_nobody_can_connect(processes: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as issuer:
        issuer.settimeout(60)
        env = {
            **ENV,
            "AOS_OIDC_ISSUER": f"http://127.0.0.1:{issuer.getsockname()[1]}",
            "AUTH_SERVICE_TIMEOUT": "30",
        }
        with aos_server("serve", "--processes", processes, env=env) as served:
            answers: list[httpx.Response] = []

            def ask() -> None:
                answers.append(httpx.get(f"{served.url}/readyz", timeout=60))

            asking = threading.Thread(target=ask)
            asking.start()
            silent, _ = issuer.accept()  # the server waits for the issuer, and whoever asks for the server
            served.process.send_signal(signal.SIGTERM)
            port = int(served.url.rpartition(":")[2])
            wait_for(lambda: not listens(port), "nobody can connect")
            assert served.process.poll() is None
            assert not answers
            silent.close()
            asking.join(20)
            assert answers[0].json()["code"] == "not_ready"
            assert served.process.wait(40) == 128 + signal.SIGTERM
        assert [line for line in served.log if '"event": "ending", "signal": 15' in line]


def test_a_process_that_dies_is_replaced_and_the_log_says_so() -> None:
    with aos_server("serve", "--processes", "2", env=ENV) as served:
        child = next(pid for pid in children_of(served.process.pid) if "spawn_main" in words_of(pid))
        os.kill(child, signal.SIGKILL)
        wait_for(lambda: any('"replaced_by"' in line for line in served.log), "it is in the log")
        (told,) = [json.loads(line) for line in served.log if '"replaced_by"' in line]
        assert (told["level"], told["pid"], told["exit"]) == ("error", child, -signal.SIGKILL)
        assert told["replaced_by"] in children_of(served.process.pid)


def words_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_who_had_connected_is_answered() -> None:
    with aos_server("serve", env=ENV) as served:
        port = int(served.url.rpartition(":")[2])
        served.process.send_signal(signal.SIGSTOP)
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for client in clients:
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        served.process.send_signal(signal.SIGTERM)
        served.process.send_signal(signal.SIGCONT)
        for client in clients:
            with client:
                client.settimeout(20)
                assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        assert served.process.wait(40) == 128 + signal.SIGTERM
