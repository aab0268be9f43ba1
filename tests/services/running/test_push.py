"""`aos runs push` where the answer is cut off: it asks again, with the same key, and what was done is done once."""

from pathlib import Path
from typing import Any

from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.server.serve import serving
from tests.services.audit.log import served

PLAN = b'[{"skill": "json_transform", "params": {"query": "a", "input": {"a": 1}}}]'


class CutOff:
    """A server whose first answer to a write gets lost, after the write was made."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.keys: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def lose(message: Any) -> None:
            pass

        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self.keys.append(dict(scope["headers"])[b"idempotency-key"].decode())
        if len(self.keys) == 1:
            await self._app(scope, receive, lose)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            raise ConnectionError
        await self._app(scope, receive, send)


def test_what_was_done_is_done_once(base, tmp_path: Path):
    ledger = ("--ledger", str(tmp_path / "ledger.db"))
    assert aos("run", "-", *ledger, stdin=PLAN).status == 0
    front = CutOff(served(base, None))
    with serving(front) as url:
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "AOS_KEYRING": "off"}
        login = aos("login", "--server", url, "--token-stdin", stdin=b"engineer\n", env=home)
        assert login.status == 0, login.err
        done = aos("runs", "push", *ledger, "--json", env=home)
    assert done.status == 0, done.out
    assert (done.status, faults(done.document), done.document["count"]) == (0, [], 1)
    assert len(front.keys) == 2
    assert len(set(front.keys)) == 1
    assert base.rows("SELECT count(*), count(DISTINCT object) FROM audit WHERE action = 'run.recorded'") == [
        (1, 1)
    ]
    assert base.rows("SELECT key, status FROM idempotency_keys") == [(front.keys[0], 201)]
