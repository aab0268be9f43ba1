"""Runs an ASGI application as it is run for real: by uvicorn, on a port of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any, **settings: Any) -> Iterator[str]:
    """The base URL, as long as it is served."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, **settings))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "uvicorn did not start"
        time.sleep(0.01)
    (port,) = {socket.getsockname()[1] for listener in server.servers for socket in listener.sockets}
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
