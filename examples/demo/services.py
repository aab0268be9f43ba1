"""A price API whose first answer comes too late, and a receiver that verifies signatures."""

import json
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from aos.webhooks import SignatureError, verify

TOO_LATE_S = 1.5


class PriceApi(BaseHTTPRequestHandler):
    """Answers with a price; the first caller waits longer than the plan's `timeout_s`."""

    asked = 0

    def do_GET(self) -> None:
        PriceApi.asked += 1
        if PriceApi.asked == 1:
            time.sleep(TOO_LATE_S)
        answer(self, 200, {"bitcoin": {"usd": 97000 + PriceApi.asked}})

    def log_message(self, *_: object) -> None:
        """Nothing: the demo has its own output."""


class Receiver(BaseHTTPRequestHandler):
    """Takes messages that bear a signature of `secret`, and keeps them."""

    secret = ""
    messages: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            verify(self.headers.items(), body, [self.secret], datetime.now(UTC))
        except SignatureError as error:
            answer(self, 401, {"error": str(error)})
            return
        self.messages.append(body.decode())
        answer(self, 200, {"ok": True})

    log_message = PriceApi.log_message


def answer(request: BaseHTTPRequestHandler, status: int, value: object) -> None:
    body = json.dumps(value).encode()
    try:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
    except OSError:
        pass  # the caller has given up


def serve(handler: type[BaseHTTPRequestHandler]) -> str:
    """Serve until the process ends; the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
