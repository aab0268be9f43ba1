"""Elements of HTML and SVG. Every text goes through one door: `tag` escapes whatever is not markup already."""

from html import escape

from aos.wire.problems import visible

_LONGEST = 2_000
"""Characters of one text that are shown."""
_VOID = frozenset({"meta", "br"})


class Html(str):
    """Markup, made by `tag` and `join` alone. Any other string is text."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str | float | None) -> Html:
    """An element. `class_` is the attribute `class`, `aria_label` is `aria-label`; None leaves one out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_shown(_written(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{join(*inside)}</{name}>")


def join(*parts: str) -> Html:
    """Parts behind each other."""
    return Html("".join(part if isinstance(part, Html) else _shown(part) for part in parts))


def _shown(text: str) -> str:
    """Text as it may stand in an element or a quoted attribute, control characters made visible."""
    return escape(visible(text, _LONGEST))


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
