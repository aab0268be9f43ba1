"""Receives webhooks on 127.0.0.1: `python receiver.py SECRETS_FILE [PORT]`.

The file has a secret per line: one, or two while a key is being replaced. It is read for every message, so a new secret
needs no restart.
"""

import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aos.webhooks import SignatureError, verify
from aos.webhooks.seen import SeenIds

SECRETS = Path(sys.argv[1])
SEEN = SeenIds()  # with a path it survives a restart: SeenIds("seen.db")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            message_id = verify(self.headers.items(), body, SECRETS.read_text().split(), datetime.now(UTC))
        except SignatureError as error:
            self.answer(error.row.status, str(error))
            return
        if SEEN.first(message_id, datetime.now(UTC)):
            print("received", message_id, body.decode(), flush=True)
        self.answer(200, "ok")  # a message that was here before is fine, too

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing but what was received."""


server = ThreadingHTTPServer(("127.0.0.1", int((sys.argv[2:] or ["9000"])[0])), Receiver)
print("listening", server.server_port, flush=True)
server.serve_forever()
