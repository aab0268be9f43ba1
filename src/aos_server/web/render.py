"""Pages: templates in which every value is text, whoever wrote it.

Two doors stand in every value's way, whatever a template's author thinks of: what would not show, or would show as
something else, becomes an escape, as in the terminal; then what means something in HTML does. A page runs no script,
loads nothing, and its one style is known by its hash.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aos.report.approvals.foreign import tame
from aos_server.http.answers import Answer

__all__ = ["HEADERS", "go", "html", "shown"]

_STYLE = files(__package__).joinpath("style.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # Not "no-referrer": a browser would then keep from us, too, where a form comes from.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What each page tells the browser: run nothing, load nothing, be in nobody's frame. None is kept by a cache either."""


def html(
    template: str, status: int = 200, headers: Mapping[str, str] | None = None, /, **values: Any
) -> Answer:
    """A page of that template."""
    text = _environment().get_template(f"{template}.html").render(values)
    return Answer(text.encode(), status, headers or {}, "text/html; charset=utf-8")


def go(address: str, headers: Mapping[str, str] | None = None) -> Answer:
    """See there: what a form's answer is, so that to load it again sends nothing again."""
    return Answer(b"", 303, {"Location": address, **(headers or {})}, "text/plain")


def shown(value: object) -> object:
    """Any value as a page may hold it, before it is escaped for HTML. Lines stay lines."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(map(tame, value.replace("\r\n", "\n").split("\n")))
    return value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["style"] = Markup(_STYLE)
    return environment
