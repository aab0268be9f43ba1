import re
from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from aos.report.forecast.markdown import code, prose, simulation
from tests.unit.report import build
from tests.unit.report.hostile import HOSTILE, everywhere, texts

READER = MarkdownIt("commonmark").enable("table")
OURS = {"br", "span", "/span", "details", "/details", "summary", "/summary"}


def inline(text: str) -> Iterator[Token]:
    for block in READER.parse(text):
        yield from block.children or ()


def shape(text: str) -> list[str]:
    """Blocks and cells, whatever stands in them."""
    return [block.type for block in READER.parse(text)]


@given(texts)
@example("a | b")
def test_what_stands_in_a_plan_changes_no_heading_list_or_table(text: str) -> None:
    assert shape(simulation(everywhere(text))) == shape(simulation(everywhere("plain")))


@given(texts)
def test_what_stands_in_a_plan_brings_no_markup(text: str) -> None:
    page = simulation(everywhere(text))
    kinds = {token.type for token in inline(page)}
    tags = {word for token in inline(page) if token.type == "html_inline" for word in tag_names(token)}
    tags |= {word for block in READER.parse(page) if block.type == "html_block" for word in tag_names(block)}

    assert kinds <= {"text", "code_inline", "html_inline", "strong_open", "strong_close", "softbreak"}
    assert tags <= OURS


@given(texts)
def test_what_a_host_makes_links_of_stands_in_code(text: str) -> None:
    """Mentions, references, addresses, formulas: hosts look for them in the text that Markdown leaves."""
    plain = " ".join(token.content for token in inline(simulation(everywhere(text))) if token.type == "text")

    assert not re.search(r"[@#!~%&:/^]\w|\w@|://|www\.|\w\.[a-z]|\bGH-\d|[0-9a-f]{7}", plain)
    assert not re.search(r"[`*_\[\]|\\{}=]", plain)


@given(st.sampled_from(HOSTILE) | st.text("ab `|\\*<", min_size=1, max_size=20))
def test_code_says_what_was_given(text: str) -> None:
    """But for controls and pipes, which are made visible."""
    (token,) = (token for token in inline(f"x {code(text)} x") if token.type != "text")
    again = token.content.replace(r"\x7c", "|")

    assert token.type == "code_inline"
    assert again == text or not text.isprintable()


def test_words_that_mean_nothing_else_stay_as_they_are() -> None:
    sentence = "4.68 % of runs end within 9 s, 90 % asked for; 42.7 s would be enough."

    assert prose(sentence) == sentence
    assert prose("no price is known for model 'house-7b'") == "no price is known for model '`house-7b`'"
    assert prose("< 0.1 %") == "&lt; 0.1 %"


def test_the_summary_says_what_the_terminal_says() -> None:
    page = simulation(build.infeasible())

    assert page.startswith("## ✗ INFEASIBLE: cost unknown, typically 19 s\n\n**at most 4.4 % of runs succeed")
    assert "| **time** | 26.2 s | 42.7 s | 54.4 s | 2 min 33 s | 9 s | 4.7 % ± 0.3 % |" in page
    assert "| **cost** | ≥ 69.7c |" in page
    assert "(at `/steps/3/params/model`)" in page
    assert "- before mail, a person of level 3 has to agree" in page
    assert "<summary>5 steps</summary>\n\n| step |" in page


def tag_names(token: Token) -> list[str]:
    return re.findall(r"<(/?\w+)", token.content) if "<!" not in token.content else ["!"]
