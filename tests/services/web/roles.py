"""An auth service whose roles a test changes while the server runs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from aos_server.identity.roles import level_of


class Roles:
    """`held` are roles by user; nobody else is known. Where it is `down` it answers 500."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.down = False
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator["Roles"]:
        roles = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                user, tenant = unquote(parts.path.split("/")[4]), parse_qs(parts.query)["tenant_id"][0]
                held = [roles.held[user]] if user in roles.held else []
                document = {"user_id": user, "tenant_id": tenant, "roles": held}
                body = json.dumps({**document, "max_approval_level": level_of(held)}).encode()
                self.send_response(500 if roles.down else 200 if held else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)
