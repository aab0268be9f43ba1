"""Laws of the parser: it reads back what was written, and answers any bytes at all."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aos.errors import CODES, InputError
from aos.wire.digests import canonical, digest
from aos.wire.problems import problem, visible
from aos.wire.shape import Reader
from aos.wire.strict import MAX_BYTES, MAX_INTEGER, Form, Json, parse

FORMS: tuple[Form, ...] = ("json", "yaml", "toml")


def read(data: bytes, form: Form) -> Json:
    return parse(data, form, name="-", max_bytes=MAX_BYTES, code="invalid_plan")


texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)  # YAML ends a flow key after 1,024
numbers = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)


def trees(scalars: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=20,
    )


values = trees(st.none() | st.booleans() | numbers | texts)
toml_tables = st.dictionaries(keys, trees(st.booleans() | numbers | texts), max_size=5)


# -- writers: the plainest spelling of a value in each form --------------------------------------------


def quoted(text: str) -> str:
    """A double-quoted string that JSON, YAML and TOML all read as `text`: no pairs, no raw controls."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if 0x20 <= ord(c) < 0x7F or c.isalnum() else f"\\U{ord(c):08x}" for c in plain)


def flow(value: Json, colon: str) -> str:
    """YAML's flow style (colon ": ") or TOML's inline style (colon " = ")."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{quoted(key)}{colon}{flow(item, colon)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, colon) for item in value) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def block(value: Json, indent: str = "") -> str:
    """YAML's block style."""
    inner = indent + "  "
    if isinstance(value, dict) and value:
        return "".join(
            f"\n{indent}? {quoted(key)}\n{indent}: {block(item, inner)}" for key, item in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}- {block(item, inner)}" for item in value)
    return flow(value, ": ")


def same(one: Json, other: Json) -> bool:
    """Equal, and of the same types: 1, 1.0 and True are equal in Python."""
    return one == other and repr(one) == repr(other)


# -- reading back --------------------------------------------------------------------------------------


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_reads_back(value: Json, ascii_only: bool, indent: int | str | None):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert same(read(text.encode(), "json"), value)


@given(values)
def test_yaml_reads_back(value: Json):
    assert same(read(flow(value, ": ").encode(), "yaml"), value)
    assert same(read(block(value).encode(), "yaml"), value)


@given(toml_tables)
def test_toml_reads_back(table: dict[str, Json]):
    text = "".join(f"{quoted(key)} = {flow(value, ' = ')}\n" for key, value in table.items())
    assert same(read(text.encode(), "toml"), table)


# RFC 8785 writes 1e17 as an integer, which this parser refuses from 2^53 on.
exact = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(-MAX_INTEGER, MAX_INTEGER)


@given(trees(st.none() | st.booleans() | exact | texts))
def test_canonical_json_reads_back_and_is_its_own_canonical_form(value: Json):
    once = canonical(value)
    assert read(once, "json") == value
    assert canonical(read(once, "json")) == once


@given(values)
def test_the_order_of_keys_does_not_change_a_digest(value: Json):
    assert digest(value) == digest(backwards(value))


def backwards(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: backwards(item) for key, item in reversed(value.items())}
    return [backwards(item) for item in value] if isinstance(value, list) else value


@given(st.decimals(min_value=0, max_value=999_999_999, places=6))
def test_money_reads_back(cents: Decimal):
    reader = Reader()
    assert reader.money(read(str(cents).encode(), "json"), "", None) == cents
    assert reader.findings == []


# -- any bytes -----------------------------------------------------------------------------------------

DOCUMENTS = [
    b'{"a": [1, -2.5e3, true, null, "x\\u00e9\\n"], "b": {"a": 1, "c": "\xc3\xa9"}}',
    b"a: &x !t [1, .nan, ~]\n'b': {<<: *x, ? [k] : v}\nc: |\n  text\n---\n- d # e\n",
    b'a = [1, 0x1F, 1e5, inf]\n"b".c = """x\n"""\n[d.e]\nf = {g = 1979-05-27T07:32:00Z}\n[[h]]\n',
]
TOKENS = [
    *(b"[ ] { } , : = - ? & * ! | > % @ # ' \" \\ . ~ << --- ... \"\"\" ''' [[ ]]".split()),
    *(
        b" ",
        b"\n",
        b"\t",
        b"\r",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\\ud800",
        b"\\U00110000",
    ),
    *(
        b"NaN",
        b"inf",
        b".inf",
        b"1e400",
        b"9" * 20,
        b"9" * 5_000,
        b"0x",
        b"1979-05-27",
        b"a.b.c",
        b"[" * 40,
        b"%TAG",
    ),
]

edits = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 4), st.sampled_from(TOKENS) | st.binary(max_size=3)),
    max_size=6,
)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(DOCUMENTS)))
    for start, length, new in draw(edits):
        data[start : start + length] = new
    return bytes(data)


@pytest.mark.parametrize("form", FORMS)
@given(st.binary() | mutants() | st.lists(st.sampled_from(TOKENS)).map(b"".join))
@example(b'{"a":' * 10_000)
@example(b"9" * 10_000)
@example(b"")
def test_any_bytes_are_read_or_refused(form: Form, data: bytes):
    try:
        value = read(data, form)
    except InputError as error:
        assert_told(error)
    else:
        assert_plain(value)
        canonical(value)


def assert_told(error: InputError) -> None:
    """What is wrong has its codes, and can be printed."""
    assert error.code == "invalid_plan"
    assert error.findings
    assert all(finding.code in CODES for finding in error.findings)
    json.dumps(problem(error), ensure_ascii=False).encode()


def assert_plain(value: Json) -> None:
    """Nothing but JSON's own values comes out."""
    if type(value) is dict:
        assert all(type(key) is str for key in value)
        for item in value.values():
            assert_plain(item)
    elif type(value) is list:
        for item in value:
            assert_plain(item)
    elif type(value) is float:
        assert math.isfinite(value)
    else:
        assert value is None or type(value) in (str, int, bool)


# -- visible -------------------------------------------------------------------------------------------


@given(st.text(st.characters() | st.sampled_from("\x00\x1b\x7f\x9b\u202e\u2028\ud800")))
def test_visible_text_is_printable_and_stays(text: str):
    shown = visible(text, 1_000)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert visible(shown, 10_000) == shown
    shown.encode()
