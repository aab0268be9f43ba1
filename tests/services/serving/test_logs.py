"""What the server writes down of requests, hostile ones too: enough to find one again, and nothing secret."""

import json
import re
import signal
import socket

import httpx
import pytest

from tests.server.processes import aos_server
from tests.services.serving.settings import SERVE

SECRET = "hunter2hunter2"
HOSTILE = [
    ("GET", "/api/v1/runs", {"Authorization": f"Bearer {SECRET}.{SECRET}.{SECRET}"}, b""),
    ("GET", "/api/v1/runs", {"Authorization": f"Bearer opaque-{SECRET}"}, b""),
    ("GET", "/api/v1/runs", {"X-AOS-Key": f"aos_{SECRET}_{SECRET}"}, b""),
    ("GET", f"/api/v1/runs/{SECRET}%0a%1b[2J?token={SECRET}", {}, b""),
    ("POST", "/api/v1/runs", {"Content-Type": "application/json"}, b'{"api_key": "hunter2hunter2'),
    ("POST", "/api/v1/policy/eval", {"Idempotency-Key": SECRET, "Cookie": SECRET}, SECRET.encode()),
    ("DELETE", f"/{SECRET}", {}, b""),
]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_each_request_is_a_line_of_json_and_no_secret_is_in_any(processes):
    env = {
        **SERVE,
        "DATABASE_URL": f"postgresql://aos_app:{SECRET}@127.0.0.1:1/aos",
        "AOS_OIDC_CLIENT_ID": "aos-server",
        "AOS_OIDC_CLIENT_SECRET": SECRET,
    }
    with aos_server("serve", "--processes", processes, env=env) as served:
        ids = []
        for method, path, headers, body in HOSTILE:
            answer = httpx.request(method, served.url + path, headers=headers, content=body, timeout=30)
            ids.append(answer.headers["x-request-id"])
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))) as raw:
            raw.sendall(f"GET /{SECRET} HTTP/1.1\r\nX-Bad\x1b[2J {SECRET}\r\n\r\n".encode())
            ids.append(http_id(raw.recv(1000)))
        unready = httpx.get(f"{served.url}/readyz", timeout=30).headers["x-request-id"]
        counted = httpx.get(f"{served.url}/metrics").text
        assert served.end(signal.SIGINT) == 130
    lines = [*served.said.splitlines(), *"".join(served.log).splitlines()]
    assert SECRET not in "".join(lines)
    assert all(line.isascii() and line.isprintable() for line in lines)
    told = [json.loads(line) for line in lines]
    by_id = {line["request_id"]: line for line in told if line["event"] == "request"}
    assert set(ids) <= set(by_id)
    first = by_id[ids[0]]
    assert (first["method"], first["route"], first["status"]) == ("GET", "/api/v1/runs", 401)
    assert (first["code"], first["client"], first["audit"]) == ("unauthenticated", "127.0.0.1", None)
    assert first["ms"] > 0
    assert (by_id[unready]["code"], "database" in by_id[unready]["detail"]) == ("not_ready", True)
    assert "detail" not in first
    nowhere, improper = (by_id[one] for one in ids[-2:])
    assert (nowhere["method"], nowhere["route"], nowhere["code"]) == ("other", "none", "not_found")
    assert (improper["status"], improper["code"], improper["client"]) == (400, "bad_http", "127.0.0.1")
    assert 'nova_http_requests_total{method="other",route="none",status="400"} 1.0' in counted
    assert [line for line in told if line["level"] == "warning" and "Invalid HTTP" in line["event"]] == []


def http_id(answer: bytes) -> str:
    found = re.search(rb"x-request-id: (\w+)", answer)
    assert found, answer
    assert f"urn:aos:request:{found[1].decode()}".encode() in answer
    return found[1].decode()
