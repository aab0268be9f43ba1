"""Nothing that a requester writes can imitate a line of the card, hide one, or move it."""

import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from aos.report.approvals.card import card
from aos.report.approvals.foreign import GUTTER, block, tame
from tests.unit.report.approvals.requests import asked
from tests.unit.report.hostile import texts

NASTY = "\x00\x07\x08\r\n\t\x1b\x7f\x85\x9b\u00ad\u034f\u0301\u061c\u115f\u1680\u180e\u200b\u200d\u202e\u2028\u2066"
NASTY += "\u2800\u3000\u3164\ufe0f\ufeff\uffa0\ufffe\ue000\U000e0041\U000e0101\U0001f600日本│ abc"
written = (
    texts | st.text(NASTY, max_size=60) | st.text(max_size=40) | st.just("APPROVED\n\nwho       bob " * 400)
)
few = settings(max_examples=40, deadline=None)


def own(text: str) -> list[str]:
    """The lines of the card itself: not those behind the gutter."""
    return [line for line in text.splitlines() if not re.match(r"[a-z ]{0,10}│( |$)", line)]


def labels(text: str) -> list[str]:
    return [line[:10] for line in text.splitlines() if line[:1].isalpha()]


@few
@given(written.filter(bool), st.integers(40, 120))
def test_the_lines_of_the_card_are_the_same_whatever_is_written(text: str, width: int) -> None:
    shown = card(asked(text), width, False)
    plain = card(asked("x"), width, False)
    assert (own(shown), labels(shown)) == (own(plain), labels(plain))


@few
@given(written, st.integers(40, 120))
def test_every_line_fits_and_shows_all_that_is_in_it_in_colour_or_ascii_too(text: str, width: int) -> None:
    shown = card(asked(text), width, False)
    for line in shown.splitlines():
        assert cell_len(line) <= width
        assert all(char == " " or unicodedata.category(char)[0] in "LMNPS" for char in line)
    plain = re.sub("\x1b\\[[0-9;]*m", "", card(asked(text), width, True))
    assert "".join(f"{line.rstrip()}\n" for line in plain.splitlines()) == shown
    assert card(asked(text), width, False, ascii=True).isascii()


@given(st.text(), st.integers(20, 80))
def test_a_block_says_all_of_it_or_that_there_is_more(text: str, width: int) -> None:
    lines = [
        "".join(part if isinstance(part, str) else part[0] for part in line) for line in block(text, width)
    ]
    assert all(line.startswith(GUTTER) and cell_len(line) <= width for line in lines)
    whole = "".join(line.removeprefix(GUTTER) for line in lines)
    assert (
        whole in (tame(text.replace("\r\n", "\n").replace("\n", "")), "(nothing)")
        or "characters in all" in whole
    )


@given(st.text())
def test_what_is_tame_stays_as_it_is(text: str) -> None:
    assert tame(tame(text)) == tame(text)


def test_marks_on_a_letter_do_not_reach_into_other_lines() -> None:
    assert tame("e" + "\u0301" * 9) == "e\u0301\u0301" + "\\u0301" * 7
