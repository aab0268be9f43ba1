"""TOML: what its own reader would take too long for, and what it stops at."""

import pytest

from aos.wire.strict import MAX_DEPTH
from tests.unit.wire.forms.reading import places, read, refused


def test_toml_integers_are_as_toml_writes_them():
    assert read("a = 0x1F\nb = 1_000\nc = +5", "toml") == {"a": 31, "b": 1000, "c": 5}


@pytest.mark.parametrize(
    "text", ["a=1\na=2", "[a]\n[a]", "a=1\n[a]", "a={b=1, b=2}", "a={}\n[a.b]", "a.b=1\na.b.c=2"]
)
def test_toml_stops_at_the_first_repeated_key(text: str):
    assert places(refused(text, "toml")) == [("duplicate_key", "")]


@pytest.mark.parametrize("text", ["1979-05-27", "07:32:00", "1979-05-27T07:32:00", "1979-05-27T07:32:00Z"])
def test_toml_dates_are_refused(text: str):
    (finding,) = refused(f"a = [1, {text}]", "toml")
    assert (finding.code, finding.pointer) == ("wrong_type", "/a/1")
    assert "quote it" in finding.detail


def test_toml_integers_of_any_length():
    assert places(refused("a = " + "9" * 5_000, "toml")) == [("number_out_of_range", "")]


def test_dotted_toml_keys_at_the_limit_and_past_it():
    assert read(".".join("a" * MAX_DEPTH) + " = 1", "toml")
    assert places(refused(".".join("a" * (MAX_DEPTH + 1)) + " = 1", "toml")) == [("too_deep", "")]


@pytest.mark.parametrize(
    "text", ['"%s"', "'%s'", '"""%s"""', "'''\n%s'''", '"\\"%s"', '"""\\"""%s"""', "1 # %s"]
)
def test_dots_inside_toml_strings_and_comments_are_no_keys(text: str):
    assert read("a = " + text % (".x" * 100), "toml")
