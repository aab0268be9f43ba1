"""YAML: what is read as what, and what of it is refused."""

import subprocess
import sys

import pytest

from aos.wire.strict import MAX_YAML_BYTES, Json
from tests.unit.wire.forms.reading import places, read, refused


@pytest.mark.parametrize(
    "text",
    [
        *("no", "No", "NO", "yes", "on", "off", "y", "n", "2026-01-31", "2026-01-31T10:00:00Z", "12:30"),
        *("1_000", "0x1F", "0o17", "0b1", "007", "-01", "1e", "1.2.3", "+-1", ".", "+", "=", "inf", "nan"),
        *("'null'", "'~'", '"true"', "'1'", "nUll"),
    ],
)
def test_yaml_leaves_everything_but_json_scalars_text(text: str):
    assert read(f"[{text}]", "yaml") == [text.strip("'\"")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, None) for word in ("null", "Null", "NULL", "~", "")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *(("+1", 1), ("-0", 0), ("10", 10), ("1.", 1.0), (".5", 0.5), ("-.5e1", -5.0), ("1e3", 1000.0)),
    ],
)
def test_yaml_scalars_of_the_core_schema(text: str, value: Json):
    document = read(f"a: {text}", "yaml")
    assert document == {"a": value}
    assert isinstance(document, dict)
    assert type(document["a"]) is type(value)


def test_yaml_blocks_are_text():
    assert read("a: |\n  1\n  2\nb: >\n  3\n", "yaml") == {"a": "1\n2\n", "b": "3\n"}


def test_yaml_has_a_limit_of_its_own():
    text = "'" + "a" * (MAX_YAML_BYTES - 2) + "'"
    assert read(text, "yaml")
    (finding,) = refused(text + " ", "yaml")
    assert (finding.code, "262,144" in finding.detail) == ("too_large", True)


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        ("a: !!int 1", "/a", "line 1, column 4: the tag tag:yaml.org,2002:int is refused"),
        ("a: ! 1", "/a", "the tag ! "),
        ("- !x {a: 1}", "/0", "the tag !x"),
        ("a: &b 1", "/a", "the anchor &b"),
        ("? !!str a\n: 1", "/a", "the tag tag:yaml.org,2002:str"),
        ("? &k a\n: 1", "/a", "the anchor &k"),
        ("<<: {a: 1}", "/<<", "line 1, column 1: the merge key <<"),
        ("a: 1\n---\nb: 2", "", "more than one document"),
        ("%TAG ! tag:x.example,2000:\n---\na: 1", "", "%TAG"),
    ],
)
def test_yaml_features_are_refused(text: str, pointer: str, detail: str):
    (finding,) = refused(text, "yaml")
    assert (finding.code, finding.pointer) == ("yaml_feature", pointer)
    assert detail in finding.detail


def test_a_quoted_merge_key_is_a_key():
    assert read("'<<': 1", "yaml") == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("a:\n  200: ok", "/a/200"),
        ("~: 1", "/~0"),
        ("true: 1", "/true"),
        ("a: {{x}}", "/a/?"),
        ("? [a]\n: 1", "/?"),
    ],
)
def test_yaml_keys_are_text(text: str, pointer: str):
    (finding,) = refused(text, "yaml")
    assert (finding.code, finding.pointer) == ("wrong_type", pointer)
    assert "quote it" in finding.detail


def test_the_billion_laughs_stay_a_list_of_findings():
    layers = "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 30))
    findings = refused(f"l0: &l0 ha\n{layers}", "yaml")
    assert {finding.code for finding in findings} == {"yaml_feature"}
    assert len(findings) == 1 + 3 * 29


WITHOUT_LIBYAML = r"""
import sys

sys.modules["yaml._yaml"] = None
from aos.errors import InputError
from aos.wire.strict import parse

for text in ("a: [1, no]", r'a: "\U00110000"', r'a: "\UFFFFFFFF"', "a: &b 1", "[" * 1000, "\u00e9: \x07"):
    try:
        print(parse(text.encode(), "yaml", name="-", max_bytes=1024, code="invalid_plan"))
    except InputError as error:
        print(error.findings[0].code)
"""


def test_yaml_is_read_where_pyyaml_has_no_c_loader():
    """In a process of its own, because PyYAML decides at its first import."""
    run = subprocess.run([sys.executable, "-c", WITHOUT_LIBYAML], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        *("{'a': [1, 'no']}", "malformed", "malformed", "yaml_feature", "too_deep", "malformed"),
    ]


def test_one_value_with_several_flaws():
    findings = refused("a: &x !y [.nan, *x]\na: !z {b: 1, b: 2}", "yaml")
    assert places(findings) == [("duplicate_key", "/a"), ("yaml_feature", "/a"), ("duplicate_key", "/a/b")]
    findings = refused("a: &x !y [.nan, *x]", "yaml")
    assert [(finding.pointer, finding.code) for finding in findings] == [
        ("/a", "yaml_feature"),
        ("/a", "yaml_feature"),
        ("/a/0", "number_out_of_range"),
        ("/a/1", "yaml_feature"),
    ]
