"""A real OpenID provider as a process, and a person who logs in there with a browser."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.services.processes import Process, free_port, program

HERE = Path(__file__).parent
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
JWT, OPAQUE = "urn:aos", "urn:aos:opaque"
"""What tokens can be for; those for the first are JWTs."""


class OpenId(Process):
    """oidc-provider on Node; `home` gets its keys."""

    def __init__(self, home: Path) -> None:
        if not (HERE / "node_modules").is_dir():
            pytest.fail("oidc-provider is missing: `nox -s services` installs it")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._keys = home / "keys.json"
        self.new_key("one")
        words = [program("node"), str(HERE / "provider.mjs"), str(port), str(self._keys)]
        super().__init__(words, port, home / "log", humble=False)

    def new_key(self, kid: str) -> None:
        """Sign with another key from the next start on."""
        key = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)
        key.pop("key_ops")
        self._keys.write_text(json.dumps({"keys": [{**key, "kid": kid, "use": "sig", "alg": "RS256"}]}))

    def robot(self, resource: str = JWT) -> str:
        """An access token of a machine."""
        form = {"grant_type": "client_credentials", "resource": resource, "scope": "aos:read"}
        return str(self._post("/token", form, ("robot", "r0bot"))["access_token"])

    def person(self, name: str, resource: str = JWT) -> dict[str, Any]:
        """Everything that a person gets who logs in on a device: access, refresh and ID token."""
        client = {"client_id": "aos-cli", "resource": resource}
        grant = self._post("/device/auth", {**client, "scope": "openid offline_access"})
        log_in(grant["verification_uri_complete"], name)
        return self._post("/token", {**client, "grant_type": DEVICE, "device_code": grant["device_code"]})

    def revoke(self, token: str) -> None:
        httpx.post(
            f"{self.url}/token/revocation", data={"client_id": "aos-cli", "token": token}
        ).raise_for_status()

    def _post(self, path: str, form: dict[str, str], client: tuple[str, str] | None = None) -> dict[str, Any]:
        answer = httpx.post(self.url + path, data=form, auth=client)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def log_in(page: str, name: str) -> None:
    """Open the page and send every form that follows, as somebody called so who agrees to everything."""
    with httpx.Client(follow_redirects=True) as browser:
        answer = browser.get(page)
        for _ in range(6):
            form = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', answer.text, re.DOTALL)
            if form is None:
                break
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[2]))
            filled = {"login": name, "password": "x", "confirm": "yes", **hidden}
            answer = browser.post(urljoin(str(answer.url), unescape(form[1])), data=filled)
        assert answer.status_code == 200, answer.text
        assert "success" in answer.text.lower(), answer.text
