"""What the parser reads, and what it refuses: each refusal with its code and its place."""

import json
import subprocess
import sys

import pytest

from aos.errors import Finding, InputError
from aos.wire.strict import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, MAX_NODES, MAX_YAML_BYTES, Form, Json, parse

FORMS: tuple[Form, ...] = ("json", "yaml", "toml")


def read(text: str | bytes, form: Form = "json", max_bytes: int = MAX_BYTES) -> Json:
    data = text if isinstance(text, bytes) else text.encode()
    return parse(data, form, name="the input", max_bytes=max_bytes, code="invalid_plan")


def refused(text: str | bytes, form: Form = "json", max_bytes: int = MAX_BYTES) -> tuple[Finding, ...]:
    with pytest.raises(InputError) as caught:
        read(text, form, max_bytes)
    assert caught.value.code == "invalid_plan"
    assert caught.value.findings
    return caught.value.findings


def places(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in findings]


# -- what is read --------------------------------------------------------------------------------------


def test_one_plan_in_three_forms_is_one_value():
    expected = {
        "aos_plan": "1",
        "budget": 0.5,
        "steps": [{"skill": "http_call", "params": {"url": "https://x.example/é", "retry": True}}],
    }
    yaml = """
# a comment
aos_plan: "1"
budget: 0.5
steps:
  - skill: http_call
    params: {url: https://x.example/é, retry: true}
"""
    toml = """
aos_plan = "1"
budget = 0.5
[[steps]]
skill = "http_call"
params = {url = "https://x.example/é", retry = true}
"""
    assert read(json.dumps(expected)) == read(yaml, "yaml") == read(toml, "toml") == expected


@pytest.mark.parametrize("text", ["0", "-0", "1e2", "-1.5E-3", "9007199254740991", "-9007199254740991"])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_numbers_are_those_of_json(text: str, form: Form):
    value = read(text, form)
    assert value == json.loads(text)
    assert type(value) is type(json.loads(text))


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


def test_toml_integers_are_as_toml_writes_them():
    assert read("a = 0x1F\nb = 1_000\nc = +5", "toml") == {"a": 31, "b": 1000, "c": 5}


def test_an_escaped_pair_of_surrogates_is_one_character():
    assert read(r'"\ud83d\ude00"') == "\N{GRINNING FACE}"


# -- the text itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "byte order mark"),
        ("{}".encode("utf-16-le"), "line 1, column 2: a NUL byte"),
        ("{}".encode("utf-32-be"), "line 1, column 1: a NUL byte"),
        (b'\n\n"caf\xe9"', "line 3, column 5: byte 0xe9 is not UTF-8"),
        (b'"\xed\xa0\x80"', "line 1, column 2: byte 0xed is not UTF-8"),  # an encoded surrogate
        (b'"\xc0\x80"', "line 1, column 2: byte 0xc0 is not UTF-8"),  # an overlong NUL
    ],
)
def test_only_utf8_without_a_mark(form: Form, data: bytes, detail: str):
    (finding,) = refused(data, form)
    assert finding.code == "not_utf8"
    assert detail in finding.detail


@pytest.mark.parametrize("form", FORMS)
def test_size_is_checked_first_and_names_the_limit(form: Form):
    assert read(b"a = 1" if form == "toml" else b"[1,2]", form, max_bytes=5)
    (finding,) = refused(b"\xff" * 6, form, max_bytes=5)
    assert finding == Finding("", "too_large", "6 bytes; the limit is 5 bytes")


def test_yaml_has_a_limit_of_its_own():
    text = "'" + "a" * (MAX_YAML_BYTES - 2) + "'"
    assert read(text, "yaml")
    (finding,) = refused(text + " ", "yaml")
    assert (finding.code, "262,144" in finding.detail) == ("too_large", True)


@pytest.mark.parametrize(
    ("form", "text", "place"),
    [
        ("json", "", "empty"),
        ("json", '{"a": 1,}', "line 1"),
        ("json", '[1]\n"x"', "line 2, column 1"),
        ("json", '["a\nb"]', "line 1, column 4"),
        ("json", "{'a': 1}", "line 1, column 2"),
        ("json", "[01]", "line 1, column 3"),
        ("yaml", "a: [1\nb: 2", "line 2, column 2"),
        ("yaml", "a:\n\t- 1", "line 2, column 1"),
        ("yaml", '"é\x07"', "line 1, column 4: the character U+0007"),
        ("yaml", r'a: "\ud800"', "line 1, column 7"),
        ("yaml", "", "empty"),
        ("yaml", "# nothing but a comment\n", "empty"),
        ("toml", "a = 1\nb =\n", "line 2, column 4"),
        ("toml", r'a = "\ud800"', "line 1, column 12"),
        ("toml", "a = ", "end of document"),
    ],
)
def test_a_syntax_error_names_its_place(form: Form, text: str, place: str):
    (finding,) = refused(text, form)
    assert (finding.code, finding.pointer) == ("malformed", "")
    assert place in finding.detail


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("- skill: fs_read\n", 'got "-"; JSON starts with [ or {, and YAML is in files that end in .yaml'),
        ("[1,]", 'got "]"; JSON has no comma after the last one'),
        ("{'a': 1}", 'got "\'"; JSON quotes with "'),
        ("// the plan\n[]", 'got "/"; JSON has no comments'),
        ('{"a" 1}', "Expecting ':' delimiter, got \"1\""),
        ('{"a": s3cret}', 'got "s"'),
        ('["x]', "Unterminated string"),
        ("[1", "delimiter"),
    ],
)
def test_the_slip_that_was_probably_made_is_named_and_no_more_of_the_text(text: str, slip: str):
    (finding,) = refused(text, "json")
    if "trailing comma" not in finding.detail:  # which newer readers of JSON say themselves
        assert slip in finding.detail
    assert "s3" not in finding.detail


# -- what two readers would read differently -----------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("json", '{"a": 1, "b/c": [{"d~": 1, "d~": 2, "d~": 3}], "a": 2}'),
        ("yaml", '{"a": 1, "b/c": [{"d~": 1, "d~": 2, "d~": 3}], "a": 2}'),
        ("yaml", "a: 1\nb/c:\n  - d~: 1\n    'd~': 2\na: 2\n"),
    ],
)
def test_every_repeated_key_is_found(form: Form, text: str):
    assert places(refused(text, form)) == [("duplicate_key", "/a"), ("duplicate_key", "/b~1c/0/d~0")]


@pytest.mark.parametrize(
    "text", ["a=1\na=2", "[a]\n[a]", "a=1\n[a]", "a={b=1, b=2}", "a={}\n[a.b]", "a.b=1\na.b.c=2"]
)
def test_toml_stops_at_the_first_repeated_key(text: str):
    assert places(refused(text, "toml")) == [("duplicate_key", "")]


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


@pytest.mark.parametrize("text", ["1979-05-27", "07:32:00", "1979-05-27T07:32:00", "1979-05-27T07:32:00Z"])
def test_toml_dates_are_refused(text: str):
    (finding,) = refused(f"a = [1, {text}]", "toml")
    assert (finding.code, finding.pointer) == ("wrong_type", "/a/1")
    assert "quote it" in finding.detail


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


# -- numbers -------------------------------------------------------------------------------------------

BIG = MAX_INTEGER + 1


@pytest.mark.parametrize(
    ("form", "text"),
    [
        *(
            ("json", text)
            for text in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", str(BIG), str(-BIG))
        ),
        *(("json", "9" * digits) for digits in (17, 18, 4_300, 4_301, 5_000, 500_000)),
        *(
            ("yaml", text)
            for text in (".inf", "-.INF", "+.inf", ".NaN", ".nan", "1e400", str(BIG), "9" * 5_000)
        ),
        *(
            ("toml", text)
            for text in ("inf", "-inf", "nan", "1e400", str(BIG), str(-BIG), "0x" + "f" * 5_000)
        ),
    ],
)
def test_numbers_are_finite_and_exact(form: Form, text: str):
    document = f"a = [0, {text}]" if form == "toml" else f'{{"a": [0, {text}]}}'
    assert places(refused(document, form)) == [("number_out_of_range", "/a/1")]


def test_toml_integers_of_any_length():
    assert places(refused("a = " + "9" * 5_000, "toml")) == [("number_out_of_range", "")]


# -- surrogates ----------------------------------------------------------------------------------------


def test_lone_surrogates_in_values_and_keys():
    findings = refused(r'{"a": ["ok", "x\ud800"], "b": {"\udfff": {"c": NaN}}, "d": "\ude00\ud83d"}')
    assert places(findings) == [("not_utf8", "/a/1"), ("not_utf8", "/b"), ("not_utf8", "/d")]
    assert r"\ud800" in findings[0].detail
    for finding in findings:
        finding.detail.encode()


# -- limits --------------------------------------------------------------------------------------------


def nested(depth: int, form: Form) -> str:
    return "a = " + "[" * (depth - 1) + "]" * (depth - 1) if form == "toml" else "[" * depth + "]" * depth


@pytest.mark.parametrize("form", FORMS)
def test_nesting_at_the_limit_and_past_it(form: Form):
    assert read(nested(MAX_DEPTH, form), form)
    for depth in (MAX_DEPTH + 1, 500):
        (finding,) = refused(nested(depth, form), form)
        assert finding.code == "too_deep"
        assert "32" in finding.detail


def test_the_pointer_of_what_is_too_deep():
    (finding,) = refused('{"a":' * 40 + "1" + "}" * 40)
    assert finding.pointer == "/a" * MAX_DEPTH


@pytest.mark.parametrize(
    ("form", "text"),
    [
        *(("json", unit * 100_000) for unit in ("[", '{"a":', '[{"a":', "[\n")),
        *(("yaml", unit * 60_000) for unit in ("[", "{a: ", "- ", "? ", "{[")),
        *(("toml", "a = " + unit * 100_000) for unit in ("[", "{a = ", "[[[{b = ")),
        ("toml", ".".join("a" * 300_000) + " = 1"),
        ("toml", "[" + " . ".join("a" * 200_000) + "]"),
        ("toml", '"""x"""""\nb = {x = """y"""", ' + ".".join("a" * 300_000) + " = 1}"),
    ],
)
def test_nesting_without_end(form: Form, text: str):
    (finding,) = refused(text, form, max_bytes=MAX_YAML_BYTES if form == "yaml" else MAX_BYTES)
    assert finding.code == "too_deep"


def test_dotted_toml_keys_at_the_limit_and_past_it():
    assert read(".".join("a" * MAX_DEPTH) + " = 1", "toml")
    assert places(refused(".".join("a" * (MAX_DEPTH + 1)) + " = 1", "toml")) == [("too_deep", "")]


@pytest.mark.parametrize(
    "text", ['"%s"', "'%s'", '"""%s"""', "'''\n%s'''", '"\\"%s"', '"""\\"""%s"""', "1 # %s"]
)
def test_dots_inside_toml_strings_and_comments_are_no_keys(text: str):
    assert read("a = " + text % (".x" * 100), "toml")


def test_the_number_of_values_at_the_limit_and_past_it():
    at_limit = "[" + "1," * (MAX_NODES - 2) + "1]"
    assert len(read(at_limit)) == MAX_NODES - 1  # type: ignore[arg-type]
    (finding,) = refused("[1," + at_limit[1:])
    assert finding == Finding("", "too_large", "more than 200,000 values")
    (finding,) = refused("a = [" + "1," * (MAX_NODES + 1) + "]", "toml")
    assert finding == Finding("", "too_large", "more than 200,000 values")


# -- all at once ---------------------------------------------------------------------------------------


def test_everything_wrong_at_once_in_document_order():
    members = [
        '"a": NaN',
        '"b": [1e400, {"c": 1, "c": 2}]',
        r'"d": "\ud800"',
        f'"deep": {nested(40, "json")}',
        '"e": 9007199254740992',
        '"e": 1',
    ]
    findings = refused("{" + ",".join(members) + "}")
    assert places(findings) == [
        ("number_out_of_range", "/a"),
        ("number_out_of_range", "/b/0"),
        ("duplicate_key", "/b/1/c"),
        ("not_utf8", "/d"),
        ("too_deep", "/deep" + "/0" * 31),
        ("duplicate_key", "/e"),
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


def test_findings_have_an_end():
    findings = refused("[" + "NaN," * 5_000 + "1]")
    assert len(findings) == 1_001
    assert findings[-1] == Finding("", "too_large", "1,000 problems; there may be more")


def test_long_keys_do_not_multiply():
    inner = ",".join(f'"{n}": NaN' for n in range(1_000))
    findings = refused('{"' + "k" * 400_000 + '": {' + inner + "}}")
    assert sum(len(finding.pointer) for finding in findings) < 2 * 1024 * 1024


def test_the_message_names_the_input_harmlessly():
    with pytest.raises(InputError) as caught:
        parse(b"[NaN, NaN]", "json", name="plan\x1b[2J.json", max_bytes=MAX_BYTES, code="invalid_catalog")
    assert caught.value.code == "invalid_catalog"
    assert str(caught.value) == r"plan\x1b[2J.json: 2 problems"
