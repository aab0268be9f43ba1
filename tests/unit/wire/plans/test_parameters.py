"""Parameters against a skill's schema: what is certain before the run is checked, what is open is not."""

from pathlib import Path
from typing import Any

import pytest

from aos.errors import Finding
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.parameters import check_params, check_schema, validator
from aos.wire.shape import Reader

OPEN = "${steps.a.output.x}"


def findings(schema: dict[str, Any], params: dict[str, Any], **inputs: Any) -> list[Finding]:
    reader = Reader()
    check_params(reader, params, "/p", validator(schema), schema, inputs)
    return reader.findings


def pointers(schema: dict[str, Any], params: dict[str, Any], **inputs: Any) -> list[str]:
    return [finding.pointer for finding in findings(schema, params, **inputs)]


def props(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


NUMBER = {"type": "number", "minimum": 3}
CHOICE = {"enum": ["red", "blue"]}


@pytest.mark.parametrize(
    ("schema", "params", "expected"),
    [
        (props(n=NUMBER), {"n": 2}, ["/p/n"]),
        (props(n=NUMBER), {"n": OPEN}, []),
        (props(n=NUMBER), {"n": f"about {OPEN}"}, ["/p/n"]),
        (props(n=NUMBER), {"n": "$${x}"}, ["/p/n"]),
        (props(c=CHOICE), {"c": "green"}, ["/p/c"]),
        (props(c=CHOICE), {"c": f"{OPEN}d"}, []),
        (props(t={"type": "string", "pattern": "^https:"}), {"t": f"{OPEN}/x"}, []),
        (props(t={"const": "${x}"}), {"t": "$${x}"}, []),
        (props(o=props(n=NUMBER)), {"o": OPEN}, []),
        (props(l={"items": NUMBER, "minItems": 3}), {"l": [1, OPEN]}, ["/p/l", "/p/l/0"]),
        (props(l={"uniqueItems": True}), {"l": [1, 1]}, ["/p/l"]),
        (props(l={"uniqueItems": True}), {"l": [OPEN, OPEN]}, []),
        (props(l={"contains": {"const": 1}}), {"l": [2, OPEN]}, []),
        (props(l={"contains": {"const": 1}}), {"l": [2, 3]}, ["/p/l"]),
        (props(v={"anyOf": [NUMBER, CHOICE]}), {"v": OPEN}, []),
        (props(v={"anyOf": [NUMBER, CHOICE]}), {"v": 1}, ["/p/v"]),
        (props(v={"anyOf": [props(n=NUMBER), {"type": "null"}]}), {"v": {"n": OPEN}}, []),
        (props(v={"anyOf": [props(n=NUMBER), {"type": "null"}]}), {"v": {"n": 1, "m": OPEN}}, ["/p/v"]),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"c": OPEN}, ["/p"]),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 2}, ["/p"]),
        ({"oneOf": [props(a={"const": 1}), props(a={"const": 2})]}, {"a": OPEN}, []),
        ({"if": props(a={"const": 1}), "then": {"required": ["b"]}}, {"a": 1}, ["/p"]),
        ({"if": props(a={"const": 1}), "else": {"required": ["b"]}}, {"a": OPEN}, []),
        ({"not": props(a={"const": None})}, {"a": OPEN}, []),
        ({"additionalProperties": False, **props(url={})}, {"ulr": 1, "x/y": OPEN}, ["/p/ulr", "/p/x~1y"]),
        ({"additionalProperties": False}, {"": 1, "a": OPEN}, ["/p/", "/p/a"]),
        ({"required": ["url"]}, {}, ["/p"]),
        (props(n=NUMBER), {"n": "${broken"}, []),
        (props(h={"additionalProperties": NUMBER}), {"h": {"": 1, "0": 1}}, ["/p/h/", "/p/h/0"]),
        (props(h={"additionalProperties": NUMBER}), {"h": {"": OPEN, "0": OPEN}}, []),
    ],
)
def test_what_could_still_become_right_is_no_error(
    schema: dict[str, Any], params: dict[str, Any], expected: list[str]
) -> None:
    assert pointers(schema, params) == expected


def test_inputs_are_checked_as_if_they_stood_there() -> None:
    schema = props(n=NUMBER, o=props(n=NUMBER))
    assert pointers(schema, {"n": "${inputs.n}"}, n=3) == []
    assert pointers(schema, {"n": "${inputs.n}"}, n=2) == ["/p/n"]
    assert pointers(schema, {"n": "${inputs.n}"}) == []
    # The plan ends at the reference, whatever is wrong inside.
    assert pointers(schema, {"o": "${inputs.o}"}, o={"n": 2}) == ["/p/o"]


def test_errors_are_told_in_words() -> None:
    skill = default_catalog().skills["llm_invoke"]
    params = {"modle": "x", "max_tokens": "${inputs.a} ${inputs.b}"}
    told = {f.detail: f.suggestion for f in findings(dict(skill.input_schema), params)}
    assert told == {
        'unknown parameter "modle"; did you mean "model"?': "model",
        "expected integer, got text": None,
        'none of the alternatives fits: the parameter "prompt" is missing; '
        'the parameter "messages" is missing': None,
    }
    [choice] = findings(props(c=CHOICE), {"c": "blu"})
    assert (choice.detail, choice.allowed, choice.suggestion) == (
        '"blu" is not one of red, blue',
        ("red", "blue"),
        "blue",
    )


def test_control_characters_of_the_plan_are_made_visible() -> None:
    [finding] = findings({"additionalProperties": False}, {"\x1b[2J": 1})
    assert "\x1b" not in finding.detail


def test_very_large_parameters_are_refused_with_their_first_error() -> None:
    assert len(pointers(props(l={"items": {"type": "string"}}), {"l": [1] * 50})) == 50
    assert len(pointers(props(l={"items": {"type": "string"}}), {"l": [1] * 50_000})) == 1


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strin"}, "strin"),
        ({"pattern": "("}, "regex"),
        ({"pattern": "(?=a)b"}, "regex"),
        ({"$ref": "http://127.0.0.1:9/x"}, "is not #/$defs/NAME"),
        ({"$ref": "file:///etc/passwd"}, "is not #/$defs/NAME"),
        ({"$ref": "#/$defs/none"}, "is not #/$defs/NAME"),
        ({"$ref": "#"}, "is not #/$defs/NAME"),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, "leads back to itself"),
        ({"properties": {"a": {"$id": "http://x/y"}}}, "$id is not supported"),
        ({"$dynamicRef": "#a"}, "$dynamicRef is not supported"),
    ],
)
def test_schemas_that_are_none_or_reach_outside_are_refused(schema: dict[str, Any], words: str) -> None:
    reader = Reader()
    check_schema(reader, schema, "/s")
    assert [(finding.code, words in finding.detail) for finding in reader.findings] == [("bad_value", True)]


def test_no_schema_is_fetched_from_the_disk(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"type": "string"}')
    with pytest.raises(ValueError, match="disabled"):
        validator({"$ref": other.as_uri()})


def test_a_schema_that_unfolds_without_end_is_refused() -> None:
    doubled: dict[str, Any] = {
        f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}, {"$ref": f"#/$defs/a{i + 1}"}]} for i in range(20)
    }
    reader = Reader()
    check_schema(reader, {"$defs": {**doubled, "a20": {}}, "$ref": "#/$defs/a0"}, "/s")
    assert "more than 100,000 values" in reader.findings[0].detail


@pytest.mark.parametrize("backwards", [False, True])
def test_a_schema_that_leads_on_and_on_is_refused(backwards: bool) -> None:
    chain: dict[str, Any] = {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(15_000)} | {"a15000": {}}
    reader = Reader()
    check_schema(reader, {"$defs": dict(reversed(chain.items())) if backwards else chain}, "/s")
    assert "nested deeper than 100 levels" in reader.findings[0].detail


def test_a_property_may_be_called_like_a_keyword() -> None:
    reader = Reader()
    check_schema(reader, {"$id": "urn:mine", "properties": {"$ref": {"type": "string"}, "$id": {}}}, "/s")
    assert reader.findings == []
