"""Where browsers reach the server: which pages may send it forms, and the cookies that it gives."""

import hmac
from collections.abc import Mapping
from typing import Literal, NamedTuple

from aos.errors import AosError
from aos_server.identity.browsers.sessions import form_token, is_cookie

__all__ = ["LOGIN_S", "Site", "check_form_token"]

LOGIN_S = 600
"""How long a login may take."""

Kind = Literal["session", "login"]


class Site(NamedTuple):
    """The scheme and host that browsers know, such as `https://aos.example`. "": in development, whatever name of this
    machine it is called by.

    With TLS a cookie has the prefix `__Host-`: no other host, and nobody without TLS, can set one of that name.
    """

    origin: str = ""

    def name(self, kind: Kind) -> str:
        """The name of a cookie."""
        return f"__Host-aos_{kind}" if self.secure else f"aos_{kind}"

    @property
    def secure(self) -> bool:
        """Whether browsers come with TLS; without it from this machine alone."""
        return self.origin.startswith("https:")

    def cookie(self, headers: Mapping[bytes, bytes], kind: Kind) -> str:
        """The cookie's value; "" where there is none, or more than one, of which nobody knows who set which."""
        wanted, found = self.name(kind), list[str]()
        for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
            name, _, value = part.strip().partition("=")
            found += [value] if name == wanted else []
        return found[0] if len(found) == 1 else ""

    def given(self, kind: Kind, value: str, seconds: int) -> dict[str, str]:
        """The header that gives a cookie; 0 seconds takes it away."""
        secure = "; Secure" if self.secure else ""
        kept = f"{self.name(kind)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return {"Set-Cookie": kept}

    def check_origin(self, headers: Mapping[bytes, bytes]) -> None:
        """Raise AosError(foreign_host) unless a form comes from a page of this very server.

        A browser says from where, both ways; the name in development was checked before.
        """
        ours = self.origin or f"http://{headers.get(b'host', b'').decode('latin-1')}"
        origin = headers.get(b"origin", b"").decode("latin-1")
        fetched = headers.get(b"sec-fetch-site", b"same-origin")
        if origin.lower() != ours.lower() or fetched != b"same-origin":
            raise AosError("foreign_host", "the form does not come from a page of this server")


def check_form_token(site: Site, headers: Mapping[bytes, bytes], given: str) -> None:
    """Raise AosError(foreign_form) unless a form was made for the session that sends it."""
    cookie = site.cookie(headers, "session")
    if not is_cookie(cookie) or not hmac.compare_digest(form_token(cookie).encode(), given.encode()):
        raise AosError("foreign_form", "the form was not made for this session; load the page again")
