from aos.errors import CODES, AosError, Finding, InputError
from aos.report.problems import problem


def test_everything_that_is_wrong_with_a_plan() -> None:
    findings = [
        Finding("/steps/0/skill", "unknown_skill", 'no skill "http_cal"', ("http_call",), "http_call"),
        Finding("", "malformed", "line 3: expected a value"),
        Finding("/steps/1/skil", "unknown_key", 'unknown key "skil"; did you mean "skill"?', (), "skill"),
    ]
    text = problem(InputError.of("invalid_plan", "plan.json", findings), 80, False)

    assert text == (
        "error: Invalid plan  invalid_plan\n"
        "plan.json: 3 problems\n"
        "\n"
        '/steps/0/skill  no skill "http_cal"; did you mean "http_call"?\n'
        "the whole       line 3: expected a value\n"
        '/steps/1/skil   unknown key "skil"; did you mean "skill"?\n'
        "\n"
        "→  `aos plan schema` prints the format; `aos skills` lists what a step can call.\n"
    )


def test_findings_of_one_kind_have_its_fix() -> None:
    findings = [Finding(f"/{i}/skill", "unknown_skill", "no such skill") for i in range(2)]

    assert InputError.of("invalid_plan", "plan.json", findings).fix == CODES["unknown_skill"].fix
    assert InputError.of("invalid_plan", "plan.json", findings, fix="Do this.").fix == "Do this."
    lacking = [Finding("", "missing_key", 'the key "schema" is missing')]
    assert InputError.of("invalid_result", "plan.json", lacking).fix == CODES["invalid_result"].fix


def test_a_single_finding_is_not_told_twice() -> None:
    finding = Finding("/steps/0/skill", "unknown_skill", "no such skill", (), "http_call")
    lines = problem(InputError.of("invalid_plan", "plan.json", [finding]), 80, False).splitlines()

    assert lines[1] == "plan.json: no such skill"
    assert lines[3] == '/steps/0/skill  did you mean "http_call"?'


def test_a_finding_about_nothing_more_is_left_out() -> None:
    finding = Finding("", "malformed", "line 1: bad")
    text = problem(AosError("malformed", "plan.json: line 1: bad", findings=[finding]), 80, False)

    assert text.count("\n") == 4


def test_what_to_do_is_the_errors_own_word_or_the_catalogues() -> None:
    assert "→  Ask again." in problem(AosError("unreadable", "no", fix="Ask again."), 80, False)
    assert CODES["unreadable"].fix in problem(AosError("unreadable", "no"), 80, False)


def test_of_many_findings_the_first_are_shown_and_the_others_counted() -> None:
    findings = [Finding(f"/steps/{i}", "bad_value", f"wrong {i}") for i in range(37)]
    text = problem(InputError.of("invalid_plan", "plan.json", findings), 80, False)

    assert "/steps/19  wrong 19\n… and 17 more\n" in text
    assert "wrong 20" not in text


def test_no_text_can_fake_a_line() -> None:
    text = problem(AosError("unreadable", "a\nerror: \x1b[2Jb\u202e"), 80, False)

    assert "a\\x0aerror: \\x1b[2Jb\\u202e\n" in text
