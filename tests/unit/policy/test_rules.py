"""Rules from text: everything that is wrong with them at once, with file and line; nothing hostile ends the process."""

import pytest

from aos.errors import InputError
from aos.policy.rules import MAX_BYTES, MAX_RULES, Source, default_policy, load, skills_named

ANY = "permit (principal, action, resource)"


def details(*files: str | bytes) -> list[str]:
    """What is wrong with files called 0.cedar, 1.cedar, …"""
    sources = [
        Source(f"{i}.cedar", text.encode() if isinstance(text, str) else text) for i, text in enumerate(files)
    ]
    with pytest.raises(InputError) as raised:
        load(sources)
    assert raised.value.code == "invalid_policy"
    return [finding.detail for finding in raised.value.findings]


def policy(*texts: str):
    return load([Source(f"{i}.cedar", text.encode()) for i, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"{ANY}\n when {{ context.steps < }};", "0.cedar:2:25: unexpected token `}`"),
        ("permit (principal action, resource);", "0.cedar:1:19: unexpected token `action`"),
        (f"{ANY};\n\n  allow (principal, action, resource);", "0.cedar:3:3: invalid policy effect: allow"),
        (ANY, "0.cedar:1:36: unexpected end of input"),
        (f'{ANY} when {{ "abc', "0.cedar:1:45: invalid token"),
        (f'// a ; " comment\n{ANY} when {{ ! }};', "0.cedar:2:47: unexpected token `}`"),
        (f"{ANY} when {{ !!!!!true }};", "0.cedar:1:1: too many occurrences of `!`"),
        ("\ufeff;", "0.cedar:1:1: unexpected token `;`"),
    ],
)
def test_a_fault_has_its_line_and_column(text: str, where: str) -> None:
    (found,) = details(text)
    assert found.startswith(where)


def test_every_fault_of_every_file_is_listed_at_once() -> None:
    found = details(
        f"{ANY} when {{ }};\n{ANY} unless {{ context.stepz > 1 }};\npermit (principal);",
        b"\n\n// \xff",
        f'@id("a") {ANY}; @id("a") {ANY};',
        'permit (principal == Aos::Robot::"x", action, resource is Aos::Skil);',
    )
    places = [detail.partition(": ")[0] for detail in found]
    assert places[:4] == ["0.cedar:1:1", "0.cedar:3:1", "0.cedar:2", "1.cedar:3"]
    assert "2.cedar:1" in places
    assert places.count("3.cedar:1") == 3


def test_what_was_meant_is_suggested() -> None:
    with pytest.raises(InputError) as raised:
        policy(f"{ANY} when {{ context.stepz > 1 }};", "permit (principal, action, resource is Aos::Skil);")
    assert [one.suggestion for one in raised.value.findings] == ["steps", None, "Aos::Skill"]


def test_a_fact_that_may_be_unknown_must_be_asked_for_first() -> None:
    (found,) = details(f"{ANY} when {{ context.cost_p95_cents < 5 }};")
    assert found.endswith("`cost_p95_cents` may be unknown: write `context has cost_p95_cents && …`")
    policy(f"{ANY} when {{ context has cost_p95_cents && context.cost_p95_cents < 5 }};")


@pytest.mark.parametrize("brackets", ["()", "[]", "{}"])
def test_nesting_that_would_overflow_the_stack_is_refused(brackets: str) -> None:
    deep = 20_000
    text = f"{ANY} when {{ {brackets[0] * deep}1{brackets[1] * deep} }};"
    (found,) = details(text[: MAX_BYTES - 1])
    assert found == "0.cedar:1: brackets nested deeper than 32"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b" " * (MAX_BYTES + 1), f"more than {MAX_BYTES:,} bytes"),
        (b";" * MAX_BYTES, f"more than {MAX_RULES:,} rules"),
        (b'"\\"' * 60_000, "a rule of more than 8,192 characters"),
        (f'{ANY} when {{ "{"x" * 9000}" == "" }};'.encode(), "a rule of more than 8,192 characters"),
        (f"{ANY} when {{ {'+'.join(['1'] * 300)} > 1 }};".encode(), "more than 200 operators"),
        (b"\xff\xfe;\x00", "is not UTF-8"),
        (b"\x00", "invalid token"),
    ],
)
def test_what_is_too_large_or_no_text_is_refused(text: bytes, why: str) -> None:
    assert why in details(text)[-1]


@pytest.mark.parametrize(
    "chain",
    [" && ".join(["true"] * 200), "+".join(["1"] * 200) + " > 0", "if true then true else " * 200 + "true"],
)
def test_long_rules_within_the_limit_are_read(chain: str) -> None:
    assert len(policy(f"{ANY} when {{ {chain} }};").rules) == 1


def test_templates_and_nothing_at_all_are_refused() -> None:
    assert "a template" in details("permit (principal == ?principal, action, resource);")[0]
    assert "no rule" in details("// nothing")[0]
    assert "no rule" in details()[0]


def test_a_rule_is_called_by_its_id_or_its_place() -> None:
    rules = policy(
        f'@id("free") @reason("why not") {ANY};\n{ANY};', "@id forbid (principal, action, resource);"
    ).rules
    assert [(rule.id, rule.effect, rule.line, rule.reason) for rule in rules] == [
        ("free", "permit", 1, "why not"),
        ("0.cedar:2", "permit", 2, ""),
        ("1.cedar:1", "forbid", 1, ""),
    ]


def test_the_digest_is_of_what_the_rules_mean() -> None:
    free, costly = f'@id("a") {ANY};', f'@id("b") {ANY} when {{ context.steps > 9223372036854775806 }};'
    digest = policy(free + costly).digest
    assert digest.startswith("sha256:")
    assert policy(f"// spaced\n{costly}\n", free.replace(", ", ",\n")).digest == digest
    assert policy(free + costly.replace("6 }", "7 }")).digest != digest
    assert policy(free).digest != digest


def test_the_policy_that_ships_is_sound() -> None:
    assert len({rule.id for rule in default_policy().rules}) == 8


def test_every_skill_that_a_rule_names_is_found() -> None:
    skill, call = "Aos::Skill::", 'permit (principal, action == Aos::Action::"call", resource)'
    said = policy(
        f'permit (principal, action, resource == {skill}"head");',
        f'{call} when {{ [{skill}"one", {skill}"two"].contains(resource) || resource in {skill}"three" }};',
        f"{ANY};",
        f'{ANY} when {{ principal == Aos::Agent::"nobody" && "Aos::Skill" == "text" }};',
    )
    found = [(rule.file, skill) for rule, skill in skills_named(said)]
    assert found == [
        ("0.cedar", "head"),
        ("1.cedar", "one"),
        ("1.cedar", "three"),
        ("1.cedar", "two"),
    ]
