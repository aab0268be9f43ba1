"""Growth in a catalog: the two forms it comes in, and what is wrong with others."""

from typing import Any

import jsonschema_rs
import pytest

from aos.domain.skills.skill import AnyGrowth, Growth, PowerGrowth
from aos.errors import InputError
from aos.wire.catalogs.read import catalog_schema, default_catalog, parse_catalog

SUM: dict[str, Any] = {"fixed": 120, "features": {"tokens": {"each": 8.3, "seen": 300}}, "rest": 1}
ROWS: dict[str, Any] = {"typical": 4000, "exponent": 0.7, "seen": {"p50": 4000, "p90": 9000}}
PRODUCT: dict[str, Any] = {"level": 950, "features": {"rows": ROWS}, "rest": {"p50": 1, "p90": 1.3}}


def document(growth: Any) -> dict[str, Any]:
    return {"aos_catalog": "1", "skills": {"http_call": {"latency_by": growth}}}


def read(growth: Any) -> AnyGrowth | None:
    catalog = parse_catalog(document(growth), name="catalog", base=default_catalog())
    return catalog.skills["http_call"].latency_by


def test_both_forms_are_read() -> None:
    total, product = read(SUM), read(PRODUCT)
    assert isinstance(total, Growth)
    assert isinstance(product, PowerGrowth)
    assert product.features[0][:3] == ("rows", 4000, 0.7)


@pytest.mark.parametrize(
    ("growth", "pointer"),
    [
        ({**PRODUCT, "fixed": 3}, "/level"),
        ({**PRODUCT, "level": 0}, "/level"),
        ({**PRODUCT, "level": -5}, "/level"),
        ({**PRODUCT, "level": "much"}, "/level"),
        ({**PRODUCT, "features": {}}, "/features"),
        ({**PRODUCT, "features": {"rows": {**ROWS, "exponent": -0.5}}}, "/features/rows/exponent"),
        ({**PRODUCT, "features": {"rows": {**ROWS, "exponent": 11}}}, "/features/rows/exponent"),
        ({**PRODUCT, "features": {"rows": {**ROWS, "typical": 0}}}, "/features/rows/typical"),
        ({**PRODUCT, "features": {"rows": {**ROWS, "seen": 0}}}, "/features/rows/seen"),
        (
            {**PRODUCT, "features": {"rows": {**ROWS, "seen": {"low": 0, "high": 9}}}},
            "/features/rows/seen/low",
        ),
        ({**PRODUCT, "features": {"rows": {**ROWS, "each": 1}}}, "/features/rows/each"),
        ({**SUM, "features": {"rows": ROWS}}, "/features/rows/exponent"),
        ({k: v for k, v in PRODUCT.items() if k != "level"}, ""),
        ([PRODUCT], ""),
    ],
)
def test_what_is_neither_is_refused_at_its_place(growth: Any, pointer: str) -> None:
    with pytest.raises(InputError) as caught:
        read(growth)
    assert f"/skills/http_call/latency_by{pointer}" in {finding.pointer for finding in caught.value.findings}


@pytest.mark.parametrize(
    ("growth", "valid"),
    [
        (SUM, True),
        (PRODUCT, True),
        (None, True),
        ({**PRODUCT, "fixed": 3}, False),
        ({**PRODUCT, "level": 0}, False),
        ({**PRODUCT, "features": {"rows": {**ROWS, "exponent": -1}}}, False),
    ],
)
def test_the_schema_says_the_same(growth: Any, valid: bool) -> None:
    assert jsonschema_rs.validator_for(catalog_schema()).is_valid(document(growth)) is valid
