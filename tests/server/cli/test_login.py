"""`aos login`, `whoami`, `health` and `logout` against a server: who is logged in, and where the token is."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from aos_server.app import application
from aos_server.http.handlers.people import LoginAt
from tests.cli.process import ROOT, Finished, aos
from tests.cli.schemas import faults
from tests.server.http.world import NO_RUNS, TOKENS, People
from tests.server.serve import serving


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(application(People(), runs=NO_RUNS)) as url:
        yield url


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A user of their own, without a keyring."""
    return {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "AOS_KEYRING": "off",
    }


def log_in(server: str, home: dict[str, str], *words: str, token: bytes = b"engineer\n") -> Finished:
    return aos("login", "--server", server, "--token-stdin", *words, "--json", stdin=token, env=home)


def kept(home: dict[str, str]) -> list[Path]:
    return [
        path for path in Path(home["HOME"]).rglob("*") if path.is_file() and b"engineer" in path.read_bytes()
    ]


def test_a_login_is_used_until_it_is_forgotten(server: str, home: dict[str, str]) -> None:
    done = log_in(server, home)
    assert faults(done.document) == []
    assert (done.document["subject"], done.document["tenant_id"], done.document["kept_in"]) == (
        "engineer",
        "acme",
        "file",
    )
    who = aos("whoami", "--json", env=home)
    assert faults(who.document) == []
    assert (who.document["subject"], who.document["level"], who.document["server"]) == ("engineer", 2, server)
    out = aos("logout", "--json", env=home)
    assert faults(out.document) == []
    assert out.document["context"] == "default"
    assert kept(home) == []
    gone = aos("whoami", "--json", env=home)
    assert (gone.document["code"], gone.status) == ("unauthenticated", 4)
    assert aos("logout", "--json", env=home).document["context"] is None


def test_the_token_is_in_one_file_that_only_its_owner_can_read(server: str, home: dict[str, str]) -> None:
    log_in(server, home)
    (path,) = kept(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o640)
    refused = aos("whoami", "--json", env=home)
    assert (refused.document["code"], refused.status) == ("unreadable", 2)
    assert log_in(server, home).status == 0
    assert stat.S_IMODE(kept(home)[0].stat().st_mode) == 0o600


def test_where_there_is_a_keyring_no_file_has_the_token(
    server: str, home: dict[str, str], tmp_path: Path
) -> None:
    log_in(server, home)  # an older login, in a file
    ring = {
        **{key: value for key, value in home.items() if key != "AOS_KEYRING"},
        "PYTHON_KEYRING_BACKEND": "tests.server.cli.filering.Ring",
        "PYTHONPATH": str(ROOT),
        "TEST_RING": str(tmp_path / "ring"),
    }
    assert log_in(server, ring).document["kept_in"] == "keyring"
    assert kept(home) == [tmp_path / "ring"]
    assert aos("whoami", "--json", env=ring).document["subject"] == "engineer"
    aos("logout", env=ring)
    assert kept(home) == []


def test_a_keyring_that_fails_is_as_good_as_none(server: str, home: dict[str, str]) -> None:
    broken = {
        **{key: value for key, value in home.items() if key != "AOS_KEYRING"},
        "PYTHON_KEYRING_BACKEND": "tests.server.cli.filering.Ring",
        "PYTHONPATH": str(ROOT),
        "TEST_RING": "/nowhere/at/all",
    }
    assert log_in(server, broken).document["kept_in"] == "file"
    assert aos("whoami", "--json", env=broken).document["subject"] == "engineer"


def test_a_token_that_the_server_refuses_is_not_kept(server: str, home: dict[str, str]) -> None:
    refused = log_in(server, home, token=b"stranger")
    assert (refused.document["code"], refused.status) == ("unauthenticated", 4)
    assert not any(path.is_file() for path in Path(home["HOME"]).rglob("*"))


@pytest.mark.parametrize("token", [b"", b"  \n", b"a b", b"a\nb", "ä".encode(), b"x" * 9000, b"\xff"])
def test_what_is_no_token_is_a_wrong_usage(token: bytes, server: str, home: dict[str, str]) -> None:
    assert log_in(server, home, token=token).document["code"] == "usage"


def test_contexts_are_kept_apart(server: str, home: dict[str, str]) -> None:
    log_in(server, home, "--context", "one")
    log_in(server, home, "--context", "two", token=b"reader")

    def who(*words: str, **env: str) -> Any:
        return aos("whoami", *words, "--json", env={**home, **env}).document

    assert who()["subject"] == "reader"
    assert who("--context", "one")["subject"] == "engineer"
    assert who("--context", "three")["code"] == "usage"
    assert who(AOS_API_KEY="x")["code"] == "unauthenticated"  # a key goes before a login
    written = Path(home["XDG_CONFIG_HOME"], "aos/config.toml").read_text()
    table = f'server = "{server}"\nclient_id = "aos-cli"\n'
    assert written == f'current = "two"\n\n[contexts.one]\n{table}\n[contexts.two]\n{table}'


def test_a_token_goes_to_its_own_server_and_to_no_other(server: str, home: dict[str, str]) -> None:
    log_in(server, home)
    seen: list[Any] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(dict(scope["headers"]))
            await JSONResponse({"status": "healthy", "checks": {}})(scope, receive, send)

    with serving(other) as elsewhere:
        assert aos("health", "--server", elsewhere, env=home).status == 0
        assert aos("health", env={**home, "AOS_BASE_URL": elsewhere}).status == 0
    assert [b"authorization" in headers for headers in seen] == [False, False]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "x" * 65, "a b", "\x1b[2J"])
def test_a_context_has_a_name_that_is_a_file_name(name: str, server: str, home: dict[str, str]) -> None:
    assert log_in(server, home, "--context", name).document["code"] == "usage"


def test_a_damaged_file_is_named(server: str, home: dict[str, str]) -> None:
    log_in(server, home)
    path = Path(home["XDG_CONFIG_HOME"], "aos/config.toml")
    path.write_text('current = 1\n[contexts."a/b"]\nservers = "x"\n')
    wrong = aos("whoami", "--json", env=home).document
    assert wrong["code"] == "invalid_config"
    assert {each["pointer"] for each in wrong["errors"]} == {
        "/current",
        "/contexts/a~1b",
        "/contexts/a~1b/servers",
    }


def test_health_is_an_exit_status(server: str, home: dict[str, str]) -> None:
    well = aos("health", "--server", server, "--json", env=home)
    assert faults(well.document) == []
    assert (well.document["status"], well.status) == ("healthy", 0)
    away = aos("health", "--server", "http://127.0.0.1:1", "--json", env=home)
    assert (away.document["code"], away.status) == ("unreachable", 6)

    async def ill(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await JSONResponse({"status": "unhealthy", "checks": {"\x1b[31mpostgres": "gone"}})(
                scope, receive, send
            )

    with serving(ill) as url:
        assert aos("health", "--server", url, env=home).status == 3
        assert b"\x1b" not in aos("health", "--server", url, env=home).out


class IdProvider:
    """An OpenID provider by RFC 8628 that hands out tokens of `People`; `script` is what it says to each poll."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.forms: list[dict[str, list[str]]] = []
        self.url = ""

    def app(self) -> Starlette:
        paths = {"/device": self.device, "/token": self.token, "/revoke": self.revoke}
        routes = [Route(path, answer, methods=["POST"]) for path, answer in paths.items()]
        return Starlette(routes=[Route("/.well-known/openid-configuration", self.metadata), *routes])

    async def metadata(self, _: Request) -> JSONResponse:
        names = {"device_authorization": "device", "token": "token", "revocation": "revoke"}
        found = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
        return JSONResponse({"issuer": self.url, **found})

    async def device(self, request: Request) -> JSONResponse:
        await self._note(request)
        return JSONResponse(
            {
                "device_code": "d",
                "user_code": "AB\x1b[2JCD",
                "verification_uri": f"{self.url}/go",
                "expires_in": 60,
                "interval": 0,
            }
        )

    async def token(self, request: Request) -> JSONResponse:
        await self._note(request)
        said = self.script.pop(0)
        if said in TOKENS:
            return JSONResponse(
                {"access_token": said, "token_type": "Bearer", "refresh_token": "r", "expires_in": 20}
            )
        return JSONResponse({"error": said}, 400)

    async def revoke(self, request: Request) -> JSONResponse:
        await self._note(request)
        return JSONResponse({})

    async def _note(self, request: Request) -> None:
        self.forms.append(parse_qs((await request.body()).decode()))


def test_a_person_logs_in_with_a_browser_and_the_login_is_renewed(server: str, home: dict[str, str]) -> None:
    provider = IdProvider("authorization_pending", "engineer", "reader")
    with serving(provider.app()) as provider.url:
        done = aos("login", "--server", server, "--issuer", provider.url, "--audience", "urn:aos", env=home)
        assert done.status == 0, done.err
        assert f"Open {provider.url}/go" in done.err.decode()
        assert b"AB\\x1b[2JCD" in done.err
        assert "logged in" in done.text
        asked = provider.forms[0]
        assert (asked["client_id"], asked["resource"]) == (["aos-cli"], ["urn:aos"])
        assert aos("whoami", "--json", env=home).document["subject"] == "reader"  # 20 s are as good as none
        assert provider.forms[-1]["refresh_token"] == ["r"]
        aos("logout", env=home)
        assert provider.forms[-1]["token"] == ["r"]


def test_the_server_says_where_people_log_in(home: dict[str, str]) -> None:
    provider = IdProvider("engineer")
    with serving(provider.app()) as provider.url:
        login = LoginAt(provider.url, "urn:aos")
        with serving(application(People(), runs=NO_RUNS, login=login)) as url:
            done = aos("login", "--server", url, "--json", env=home)
            assert done.status == 0, done.err
            assert provider.forms[0]["resource"] == ["urn:aos"]
            kept_as = Path(home["XDG_CONFIG_HOME"], "aos/config.toml").read_text()
            assert f'issuer = "{provider.url}"' in kept_as


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": "https://else.example"},
        {"authorization_servers": []},
        {"authorization_servers": ["http://id.example"]},
        {"authorization_servers": "x"},
        {"aos_audience": None},
    ],
)
def test_a_server_that_says_something_else_is_not_believed(
    wrong: dict[str, Any], home: dict[str, str]
) -> None:
    async def metadata(request: Request) -> JSONResponse:
        right = {"resource": str(request.base_url), "authorization_servers": ["https://id.example"]}
        return JSONResponse({**right, "aos_audience": "aos", **wrong})

    path = "/.well-known/oauth-protected-resource"
    with serving(Starlette(routes=[Route(path, metadata)])) as url:
        done = aos("login", "--server", url, "--json", env=home)
    assert done.document["code"] in ("unexpected_answer", "usage")
    assert not any(path.is_file() for path in Path(home["HOME"]).rglob("*"))


def test_where_nobody_says_where_people_log_in_one_has_to(server: str, home: dict[str, str]) -> None:
    done = aos("login", "--server", server, "--json", env=home)
    assert (done.document["code"], "--issuer" in done.document["fix"]) == ("usage", True)


@pytest.mark.parametrize("said", ["access_denied", "expired_token", "invalid_client", "\x1b[31m"])
def test_a_login_that_is_refused_is_status_4(said: str, server: str, home: dict[str, str]) -> None:
    provider = IdProvider(said)
    with serving(provider.app()) as provider.url:
        done = aos("login", "--server", server, "--issuer", provider.url, env=home)
    assert (done.status, done.out) == (4, b"")
    assert b"login_failed" in done.err
    assert b"\x1b" not in done.err
    assert list(Path(home["HOME"]).iterdir()) == []


def test_without_an_issuer_there_is_no_browser_login(server: str, home: dict[str, str]) -> None:
    done = aos("login", "--server", server, "--json", env=home)
    assert (done.document["code"], "--issuer" in done.document["fix"]) == ("usage", True)
    plain = aos("login", "--server", server, "--issuer", "http://id.example", "--json", env=home)
    assert plain.document["code"] == "usage"


def test_the_keyring_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, aos.cli.setup.login; print({'keyring', 'platformdirs'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_json_is_what_people_read(server: str, home: dict[str, str]) -> None:
    log_in(server, home)
    shown = aos("whoami", env=home).text
    document = json.loads(aos("whoami", "--json", env=home).out)
    for key in ("subject", "tenant_id", "server", "context"):
        assert document[key] in shown
