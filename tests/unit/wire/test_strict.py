"""What the parser reads, and what it refuses: each refusal with its code and its place."""

import json

import pytest

from aos.errors import Finding, InputError
from aos.wire.strict import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, MAX_NODES, MAX_YAML_BYTES, Form, parse
from tests.unit.wire.forms.reading import FORMS, places, read, refused

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
