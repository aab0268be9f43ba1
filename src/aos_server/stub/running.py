"""The auth service of development as a running server, in a thread of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn

from aos_server.stub.app import create_stub
from aos_server.stub.provider import StubProvider

__all__ = ["running"]


@contextmanager
def running(port: int, api_key: str) -> Iterator[StubProvider]:
    """The provider, served at `port` of this machine, or at another one where that is taken."""
    with closing(_listen(port)) as listener:
        host, bound = listener.getsockname()
        provider = StubProvider(f"http://{host}:{bound}")
        config = uvicorn.Config(create_stub(provider, api_key), log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.should_exit = True
            thread.join(5)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))
