"""The environment: its variables as values. Everything wrong with them is collected, and nothing of it repeated."""

import ipaddress
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from aos.errors import Finding

__all__ = ["Environment", "Variable", "loopback"]


_HOST = re.compile("[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*(%[a-z0-9]+)?")
_HALF_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class Variable(NamedTuple):
    """An environment variable: what it means, and its default as text ("" is none)."""

    meaning: str
    default: str = ""


def loopback(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Environment:
    """Takes values out of the environment and collects `findings`, each with the variable's name as its pointer.

    `needed` are the variables without which it does not do, `also` names that are others' and no misspelling of ours.
    Where it is `guarded`, everywhere but in development, unsafe settings are refused.
    """

    def __init__(
        self,
        values: Mapping[str, str],
        variables: Mapping[str, Variable],
        needed: Collection[str],
        *,
        also: Collection[str],
        guarded: bool,
    ) -> None:
        self.guarded = guarded
        self.findings: list[Finding] = []
        self._values = values
        self._variables = variables
        self._needed = needed
        self._also = also

    def missing(self, name: str, why: str) -> None:
        self.findings.append(Finding(f"/{name}", "missing_setting", f"{name} is missing: {why}"))

    def unsafe(self, name: str, why: str) -> None:
        self.findings.append(Finding(f"/{name}", "unsafe_setting", f"{name}: {why}"))

    def wrong(self, name: str, why: str) -> None:
        self.findings.append(Finding(f"/{name}", "bad_value", f"{name} {why}"))

    def has(self, name: str) -> bool:
        return bool(self._values.get(name, "").strip())

    def text(self, name: str) -> str:
        """The value without white space around it, or the default. Set to nothing is not set."""
        value = self._values.get(name, "").strip() or self._variables[name].default
        if not value and name in self._needed:
            self.missing(name, self._variables[name].meaning)
        return value

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip().lower() for word in self.text(name).split(",") if word.strip())

    def hosts(self, name: str) -> tuple[str, ...]:
        """Names of hosts, as they are compared: without a port, IPv6 without brackets."""
        found = tuple(word.strip("[]") for word in self.words(name))
        if not all(_HOST.fullmatch(host) for host in found):
            self.wrong(
                name, "must be names of hosts, without scheme, port and path, with a comma between them"
            )
        return found

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        if value and not Path(value).is_absolute():
            self.wrong(name, "must be an absolute path")
        return Path(value) if value else None

    def whole(self, name: str, low: int, high: int) -> int:
        value = self.text(name)
        if value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high:
            return int(value)
        self.wrong(name, f"must be a whole number from {low:,} to {high:,}")
        return low

    def seconds(self, name: str, high: float) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            value = math.nan
        if not 0 < value <= high:
            self.wrong(name, f"must be a number of seconds above 0, at most {high:g}")
        return value

    def guard(self, name: str, why: str) -> bool:
        """A switch that may be off in development only."""
        value = self.text(name).lower()
        if value not in ("true", "false", "1", "0"):
            self.wrong(name, "must be true or false")
        off = value in ("false", "0")
        if off and self.guarded:
            self.unsafe(name, why)
        return not off

    def service(self, name: str) -> str:
        """An address of HTTP: with TLS, unless it is this machine or a host named as one that may go without."""
        url = self._url(name, ("https", "http"))
        if url is None:
            return ""
        if url.scheme == "http" and not self._private(url.hostname or ""):
            self.unsafe(name, "who listens on the way could change what it says: use https")
        if url.username or url.query or url.fragment:
            self.wrong(name, "must have no user, query or fragment")
        return url.geturl().rstrip("/")

    def schedule(self, name: str) -> str:
        """A line of crontab, by which something is due at most once an hour."""
        value = self.text(name)
        if self.has(name):
            from croniter import croniter

            fields = value.split()
            if len(fields) != 5 or not fields[0].isdigit() or not croniter.is_valid(value):
                self.wrong(name, "must be five fields of crontab with one minute of the hour: 30 2 * * *")
                return self._variables[name].default
        return value

    def redis(self, name: str) -> str:
        url = self._url(name, ("redis", "rediss"))
        if url and not re.fullmatch(r"(/[0-9]{0,4})?\?(ssl_[a-z_]+=[^&]*(&|$))*", f"{url.path}?{url.query}"):
            self.wrong(
                name, "may end with the number of a database, and with parameters that start with ssl_"
            )
        return url.geturl() if url else ""

    def database(self, name: str) -> str:
        url = self._url(name, ("postgresql", "postgres"))
        if url is not None and (not url.username or not url.path.strip("/")):
            self.wrong(name, "must name a role and a database: postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE")
        if url is not None and _HALF_ESCAPE.search(url.geturl()):
            self.wrong(name, "has a % that escapes nothing: write %25 for the one of a password")
        return url.geturl() if url else ""

    def check_spelling(self) -> None:
        """A setting of ours that is nearly spelled right would be silently ignored."""
        from difflib import get_close_matches

        for name in self._values:
            if name.startswith("AOS_") and name not in (*self._variables, *self._also):
                meant = get_close_matches(name, self._variables, n=1, cutoff=0.85)
                if meant:
                    detail = f"{name} is no setting; did you mean {meant[0]}?"
                    self.findings.append(Finding(f"/{name}", "unknown_key", detail, suggestion=meant[0]))

    def _private(self, host: str) -> bool:
        return not self.guarded or loopback(host) or host.lower() in self.words("AOS_PLAINTEXT_HOSTS")

    def _url(self, name: str, schemes: tuple[str, ...]) -> SplitResult | None:
        """The address, or None where it is absent or wrong. A finding never repeats it: it may hold a password."""
        value = self.text(name)
        if not value:
            return None
        try:
            url = urlsplit(value)
            valid = url.scheme in schemes and bool(url.hostname) and (url.port is None or url.port > 0)
        except ValueError:
            valid = False
        if not valid:
            self.wrong(
                name, f"must be an address that starts with {' or '.join(f'{word}://' for word in schemes)}"
            )
            return None
        return url
