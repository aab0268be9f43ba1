"""A document read, or refused with everything that is wrong with it."""

import pytest

from aos.errors import Finding, InputError
from aos.wire.strict import MAX_BYTES, Form, Json, parse

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
