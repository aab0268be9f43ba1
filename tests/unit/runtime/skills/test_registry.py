"""What can be carried out, and that nothing of the catalog is left out."""

import threading
from decimal import Decimal
from pathlib import Path

import pytest

import aos
from aos.domain.runs.run import Place
from aos.domain.skills.distributions import Constant, Distribution, Lognormal
from aos.domain.skills.failures import FAILURES
from aos.domain.skills.skill import CallCost, Figure, Provenance, Skill
from aos.errors import InputError
from aos.runtime.guards import GuardError
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call
from aos.runtime.skills.registry import BUILT_IN, implementations, why_not
from aos.runtime.skills.world import ChatService, MailServer, World

SHIPPED = aos.load_catalog().skills
WHOLE = World(
    Path(),
    Secrets(),
    mail=MailServer("smtp://localhost", "a@b.c"),
    chat=ChatService("http://localhost/v1"),
)


def test_every_skill_of_the_shipped_catalog_can_be_carried_out():
    assert tuple(sorted(SHIPPED)) == BUILT_IN
    assert implementations(SHIPPED.values(), WHOLE).keys() == SHIPPED.keys()


def test_without_a_service_its_skill_is_left_out():
    assert SHIPPED.keys() - implementations(SHIPPED.values(), World(Path(), Secrets())) == {
        "email_send",
        "llm_invoke",
    }


def test_what_has_to_be_set_up_is_named():
    nothing = World(Path(), Secrets())
    assert why_not("llm_invoke", nothing) == "`chat` under [run] in aos.toml is not set"
    assert "`mail`" in why_not("email_send", nothing)


def test_every_failure_of_the_shipped_catalog_is_in_the_catalogue():
    declared = {mode.code for skill in SHIPPED.values() for mode in skill.failures or ()}
    assert declared <= FAILURES.keys()


@pytest.mark.parametrize("stated", ["much", -1, 1.5, True, None])
def test_a_limit_that_is_no_number_is_told(stated):
    skill = SHIPPED["fs_read"]._replace(constraints={"max_bytes": stated})
    with pytest.raises(InputError) as caught:
        implementations([skill], WHOLE)
    assert caught.value.findings[0].pointer == "/skills/fs_read/constraints/max_bytes"


def priced(cost: Distribution) -> Skill:
    figure = Figure(cost, Provenance("declared"))
    return SHIPPED["json_transform"]._replace(cost=CallCost(figure))


def test_a_declared_price_is_the_cost_and_a_range_is_no_price():
    call = Call("r", Place("s1"), 1, "k", 5, threading.Event())
    for cost, expected in (
        (Constant(0.25), Decimal("0.25")),
        (Constant(3.0), Decimal(3)),
        (Lognormal(1, 1), None),
    ):
        (skill,) = implementations([priced(cost)], WHOLE).values()
        assert skill({"query": "@", "input": 1}, call).cost_cents == expected
        assert skill({"query": "@@", "input": 1}, call).cost_cents == expected


def test_a_guard_error_needs_a_code_of_the_catalogue():
    """Every code that the guards and skills raise by name is a row of FAILURES."""
    import re

    sources = Path(aos.__file__).parent / "runtime"
    named = {
        code
        for path in [*sources.glob("guards/*.py"), *sources.glob("skills/*.py")]
        for code in re.findall(r'(?:GuardError|_refused)\(\s*"([A-Z_0-9]+)"', path.read_text())
    }
    assert "ADDRESS_REFUSED" in named
    assert named <= FAILURES.keys()
    assert GuardError("TIMEOUT", "x").effect is None
