"""What pages of HTML are made of: the document around them, sections, cards and tables in one style."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from aos.report.parts.markup import Html, join, tag

_STYLE = Path(__file__).parent / "page.css"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, *inside: Html) -> str:
    """A whole page: its style is in it, it runs no script and fetches nothing."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    body = tag("body", tag("main", *inside))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def section(title: str, *inside: Html) -> Html:
    """A heading and what it is about; nothing where there is nothing to say."""
    return tag("section", tag("h2", title), *inside) if any(inside) else join()


def cards(items: Iterable[Html]) -> Html:
    """A list of things that stand by themselves."""
    listed = [tag("li", item) for item in items]
    return tag("ol", *listed, class_="cards") if listed else join()


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "numbers") -> Html:
    """The first cell names its row. Where the page is too narrow the table scrolls, also with the keyboard."""
    column = partial(tag, "th", scope="col")
    body = (
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest)) for first, *rest in rows
    )
    drawn = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *(column(word) for word in head))),
        tag("tbody", *body),
        class_=kind,
    )
    return tag("div", drawn, class_="wide", tabindex="0", role="region", aria_label=caption)
