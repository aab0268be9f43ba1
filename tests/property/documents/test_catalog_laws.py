"""Laws of catalogs: dump and parse are inverse, an override with nothing changes nothing, no document breaks it."""

import copy
import json
from typing import Any

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.skills.skill import Catalog
from aos.errors import CODES, InputError
from aos.wire.catalogs.read import (
    catalog_contract_digest,
    catalog_digest,
    catalog_schema,
    default_catalog,
    dump_catalog,
    parse_catalog,
)
from tests.strategies.catalogs import catalogs

SCHEMA = jsonschema_rs.Draft202012Validator(catalog_schema(), offline=True)


@given(catalogs())
def test_parse_of_dump_is_identity(catalog: Catalog) -> None:
    document = json.loads(json.dumps(dump_catalog(catalog)))
    assert parse_catalog(document, name="catalog.json") == catalog
    assert SCHEMA.is_valid(document), [error.message for error in SCHEMA.iter_errors(document)]


@given(catalogs(), st.data())
def test_an_override_changes_what_it_states_and_nothing_else(catalog: Catalog, data: st.DataObject) -> None:
    document = dump_catalog(catalog)
    some: Any = {
        name: {key: descriptor[key] for key in data.draw(st.sets(st.sampled_from(sorted(descriptor))))}
        for name, descriptor in document["skills"].items()
    }
    assert parse_catalog({"skills": some}, name="again.json", base=catalog) == catalog


@given(catalogs())
def test_measured_figures_move_the_digest_and_not_the_contract(catalog: Catalog) -> None:
    base = default_catalog()
    both = Catalog({**base.skills, **catalog.skills}, {**base.pools, **catalog.pools})
    for name, skill in catalog.skills.items():
        moved = skill._replace(latency=base.skills["fs_read"].latency, failures=(), purpose="other")
        other = both._replace(skills={**both.skills, name: moved})
        assert catalog_contract_digest(other, [name]) == catalog_contract_digest(both, [name])
        if moved != skill:
            assert catalog_digest(other, [name]) != catalog_digest(both, [name])


scraps: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1,
        2,
        0.5,
        1e300,
        "",
        "TRANSIENT",
        "measured",
        [],
        {},
        [1, 2],
        {"value": 1},
        {"p50": 2},
    ]
).map(copy.deepcopy)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A valid catalog with a few values replaced, removed or renamed."""
    document = copy.deepcopy(dump_catalog(draw(catalogs())))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.sampled_from(objects(document)))
        key = draw(st.sampled_from(sorted(place)))
        match draw(st.sampled_from(["replace", "remove", "rename"])):
            case "replace":
                place[key] = draw(scraps)
            case "remove":
                del place[key]
            case "rename":
                place[draw(st.sampled_from(["valeu", "p90", "levels", "n", "cost_cents", "x-a"]))] = (
                    place.pop(key)
                )
    return document


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in it that hold something."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) and value else []
    return own + [found for item in inner for found in objects(item)]


@given(damaged() | scraps)
def test_any_document_is_a_catalog_or_one_error(document: Any) -> None:
    answer = outcome(document)
    if isinstance(answer, InputError):
        assert answer.code == "invalid_catalog"
        assert {finding.code for finding in answer.findings} <= CODES.keys()
    else:
        assert SCHEMA.is_valid(document), [error.message for error in SCHEMA.iter_errors(document)]
        assert parse_catalog(dump_catalog(answer), name="again.json") == answer


def outcome(document: Any) -> Catalog | InputError:
    try:
        return parse_catalog(document, name="catalog.json")
    except InputError as error:
        return error
