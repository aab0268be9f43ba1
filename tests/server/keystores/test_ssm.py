"""AWS SSM: throttled, denied, half of two puts failing, an answer that is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from aos.errors import AosError
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import carry_out, load, rotate
from aos_server.keystores.check import check
from aos_server.keystores.keyring import Keyring
from tests.server.keystores.places import Place

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

Fault = Callable[[str, bytes], str]
"""From the operation and the body: "" to pass it on, "lost" to lose the answer, else the code of an error."""


@contextmanager
def through(place: Place, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """SSM behind a proxy that makes faults."""
    target = place.environment["AWS_ENDPOINT_URL"]

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = fault(self.headers["X-Amz-Target"].split(".")[1], body)
            if found in ("", "lost"):
                answer = httpx.post(target, content=body, headers=dict(self.headers.items()))
                status, content = answer.status_code, answer.content
            else:
                status, content = 400, b'{"__type": "%s", "message": "no"}' % found.encode()
            if found == "lost":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with monkeypatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
            yield place.open()
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def begun(parameters: Place) -> Place:
    backend = parameters.open()
    carry_out(backend, rotate(backend, NOW, DAY))
    return parameters


def rotated(backend: Backend) -> str:
    try:
        carry_out(backend, rotate(backend, NOW, DAY))
    except AosError as error:
        return error.code
    return "done"


def state(place: Place) -> tuple[list[str], list[str]]:
    backend = place.open()
    return [one.name for one in load(backend)[0].versions], sorted(backend.names())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("AccessDeniedException", "keystore_forbidden"),
        ("ThrottlingException", "keystore_unavailable"),
        ("TooManyUpdates", "keystore_unavailable"),
        ("InternalServerError", "keystore_unavailable"),
    ],
)
def test_a_no_changes_nothing_and_loaded_keys_sign_on(begun: Place, monkeypatch, error, code):
    denied: list[str] = []
    with through(begun, lambda *_: denied[0] if denied else "", monkeypatch) as backend:
        ring = Keyring(backend, NOW)
        secrets = ring.secrets("ep_1", NOW)
        denied.append(error)
        ring.refresh(NOW)
        assert (ring.trouble and ring.trouble.code) == code
        assert rotated(backend) == code
        assert ring.secrets("ep_1", NOW) == secrets
    assert state(begun) == (["v1"], ["v1"])


@pytest.mark.parametrize("put", [1, 2])
def test_half_of_two_puts_failing_leaves_the_old_keys(begun: Place, monkeypatch, put):
    puts = []

    def fault(operation: str, body: bytes) -> str:
        if operation == "PutParameter":
            puts.append(body)
            return "AccessDeniedException" if len(puts) == put else ""
        return ""

    with through(begun, fault, monkeypatch) as backend:
        assert rotated(backend) == "keystore_forbidden"
    assert state(begun) == (["v1"], ["v1"])
    assert rotated(begun.open()) == "done"


def test_what_can_not_be_cleaned_up_is_named(begun: Place, monkeypatch):
    def fault(operation: str, body: bytes) -> str:
        record = operation == "PutParameter" and b"keys.json" in body
        return "AccessDeniedException" if record or operation == "DeleteParameter" else ""

    with through(begun, fault, monkeypatch) as backend:
        assert rotated(backend) == "keystore_forbidden"
    assert state(begun) == (["v1"], ["v1", "v2"])
    assert [finding.name for finding in check(begun.open(), NOW) if finding.wrong] == ["v2"]


def test_an_answer_that_is_lost_is_no_failure_when_the_record_says_so(begun: Place, monkeypatch):
    def fault(operation: str, body: bytes) -> str:
        return "lost" if operation == "PutParameter" and b"keys.json" in body else ""

    with through(begun, fault, monkeypatch) as backend:
        assert rotated(backend) == "done"
    assert state(begun) == (["v1", "v2"], ["v1", "v2"])


def test_where_nobody_can_tell_it_is_said(begun: Place, monkeypatch):
    lost = []

    def fault(operation: str, body: bytes) -> str:
        if operation == "PutParameter" and b"keys.json" in body:
            lost.append(body)
        return "lost" if lost else ""

    with through(begun, fault, monkeypatch) as backend:
        assert rotated(backend) == "keys_unknown"
    assert state(begun) == (["v1", "v2"], ["v1", "v2"])
    assert not any(finding.wrong for finding in check(begun.open(), NOW))


def test_a_parameter_in_clear_text_is_no_key(parameters: Place):
    import boto3

    client = boto3.client("ssm", region_name="eu-central-1")
    client.put_parameter(Name="/aos/webhook-keys/v1", Value="k" * 32, Type="String")
    with pytest.raises(AosError, match="clear text"):
        Keyring(parameters.open(), NOW)
