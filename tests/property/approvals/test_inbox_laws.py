"""Whatever a requester writes: no page has an element more for it, nor a character that hides, moves or reorders."""

import re
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aos.report.approvals.foreign import tame
from tests.server.inbox_page import page
from tests.unit.report.hostile import texts

TAGS = (
    "</pre><script>alert(1)</script>",
    '"><input name=digest value=x>',
    "<!--",
    "{{ token }}",
    "&lt;b&gt;",
    "]]>",
)
written = texts | st.text(max_size=40) | st.sampled_from(TAGS)
# Controls but for the end of a line, marks that reorder, other ends of lines, what takes no room, lone surrogates.
HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Seen(HTMLParser):
    """What a browser makes of a page: the kinds of elements, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.kinds = set[tuple[str, tuple[str, ...]]]()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kinds.add((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


KINDS = Seen(page("x")).kinds | Seen(page("${x}")).kinds


@settings(max_examples=12, deadline=None)
@given(written)
@example("".join(TAGS))
@example("votes\n2 of 2\u202e\x1b[2J\u2028\u200b")
def test_what_is_written_makes_no_element_and_hides_nothing(text: str) -> None:
    shown = page(text)
    assert HIDDEN.search(shown) is None
    seen = Seen(shown)
    assert seen.kinds <= KINDS
    for line in text.replace("\r\n", "\n").split("\n"):
        assert tame(line) in seen.text


def test_a_plan_without_end_does_not_fill_the_page() -> None:
    step = {"skill": "email_send", "params": {f"k{n}": "word" * 10_000 for n in range(60)}}
    shown = page("x", steps=[step] * 5_000)
    assert "The other 4980 steps" in shown
    assert "40,000 characters in all" in shown
    assert "10 more" in shown
    assert len(shown) < 1_500_000
