"""A browser without scripts: it keeps cookies, follows redirects, and sends the forms that it finds on pages."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

INPUTS = ("input", "textarea")
UNTICKED = ("checkbox", "radio")


class Form(HTMLParser):
    """The forms of a page: where each leads, and what it sends if nobody fills anything in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._current: dict[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._current = self.found.setdefault(values["action"], {})
        elif self._current is not None and tag in INPUTS and values.get("type") not in UNTICKED:
            self._current.setdefault(values["name"], values.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._current = None


class Browser:
    """One person's. `url` is that of the server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, follow_redirects=True, timeout=60)
        self.ours = {"Origin": url, "Sec-Fetch-Site": "same-origin"}

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def log_in(self, name: str, path: str = "/inbox") -> "Browser":
        """Go there, and fill in every form of the provider as somebody called so who agrees to everything."""
        answer = self.client.get(path)
        for _ in range(4):
            if str(answer.url).startswith(self.url):
                break
            ((action, fields),) = Form(answer.text).found.items()
            filled = {**fields, **({"login": name, "password": "x"} if "login" in fields else {})}
            answer = self.client.post(urljoin(str(answer.url), action), data=filled)
        assert answer.status_code == 200, answer.text
        assert answer.url.path == path
        return self

    def form(self, request: str, act: str) -> dict[str, str]:
        """What the form of the card would send."""
        page = self.get(f"/inbox/{request}")
        assert page.status_code == 200, page.text
        return Form(page.text).found[f"/inbox/{request}/{act}"]

    def send(
        self, request: str, act: str, form: dict[str, str], headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Send it, with what somebody filled in."""
        sent = {key: value for key, value in {**form, **more}.items() if value is not None}
        return self.client.post(
            f"/inbox/{request}/{act}", data=sent, headers=self.ours if headers is None else headers
        )

    def decide(self, request: str, act: str, **filled: str) -> httpx.Response:
        """Look at it, fill the form in, and send it."""
        return self.send(request, act, {**self.form(request, act), **filled})
