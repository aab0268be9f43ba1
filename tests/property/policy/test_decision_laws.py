"""Laws of the server's decisions on calls: the short way says what the whole way says, whoever asked what before."""

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.skills.distributions import Constant
from aos.domain.skills.skill import CallCost, Catalog, Feature, Figure, Growth, Provenance
from aos.errors import InputError
from aos.policy.rules import Source
from aos.wire.catalogs.read import default_catalog, dump_catalog
from aos.wire.plans.calls import plain_call
from aos.wire.plans.read import parse_plan, plan_digest
from aos_server.services.policy.active import Rules
from aos_server.services.policy.decisions import Decided, Decisions, call_of, decide, question
from aos_server.services.runtime.simulations import compute
from aos_server.services.tenants import Budget, Permissions, Terms
from tests.fakes.workers import Inline
from tests.strategies.catalogs import catalogs

ANY = "permit (principal, action, resource);"
DEAR = (
    ANY
    + """
@id("dear") forbid (principal, action, resource)
when { context has cost_p95_cents && context.cost_p95_cents > 3 && context.approval_level < 4 };
@id("slow") forbid (principal, action, resource)
when { context has duration_p95_ms && context.duration_p95_ms > 4000 && context.approval_level < 2 };
@id("writes") forbid (principal, action == Aos::Action::"call", resource)
when { !context.read_only && context.approval_level < 3 };
"""
)
WHO = ANY + '@id("rogue") forbid (principal == Aos::Agent::"rogue", action, resource);'
READ = {"path": "a"}
THAT = plan_digest(parse_plan(call_of("fs_read", READ), default_catalog(), name="plan").plan)
WHICH = ANY + f'@id("that") forbid (principal, action, resource == Aos::Plan::"{THAT}");'

texts = st.sampled_from(["a", "bb", "", "\u4e00", "${secrets.T}", "${inputs.x}", "$${x}", "${", "x" * 900])
values = st.sampled_from([0, 2, 400, 2.5, True, None, ["a"], {"": 1}, {"b": ["a"]}]) | texts
models = st.sampled_from(["gpt-4o", "gpt-5-mini", "nobody-knows-it", "${inputs.x}"])
params: dict[str, st.SearchStrategy[Any]] = {
    "llm_invoke": st.fixed_dictionaries(
        {"prompt": texts}, optional={"model": models, "max_tokens": st.sampled_from([1, 50, 9.0, True])}
    ),
    "http_call": st.fixed_dictionaries(
        {"url": st.sampled_from(["https://a.example", "https://b.example"])},
        optional={"method": st.sampled_from(["GET", "POST", "PURGE", "${inputs.x}"]), "body": values},
    ),
    "fs_read": st.just(READ) | st.fixed_dictionaries({"path": values}),
    "fs_write": st.fixed_dictionaries({"path": texts, "content": texts}),
    "webhook_send": st.fixed_dictionaries({"url": texts}, optional={"payload": values}),
    "no_such_skill": st.just({}),
}
rules = st.sampled_from([None, DEAR, WHO, WHICH, "permit ("]).map(
    lambda text: text and Rules(f"sha256:{len(text)}", (Source("a.cedar", text.encode()),))
)
terms = st.builds(
    Terms,
    st.just("acme"),
    catalog=st.none(),
    budget=st.sampled_from(
        [Budget(), Budget(Decimal(3)), Budget(Decimal(3), Decimal("2.5")), Budget(Decimal(3), unpriced=1)]
    ),
    permissions=st.sampled_from([(), (Permissions(frozenset({"fs_read"})),)]),
    agent=st.sampled_from(["", "rogue"]),
    rules=rules,
)
inputs = st.sampled_from([{}, {}, {"x": "GET"}, {"y": 1}])


def whole_way(skill: str, payload: dict[str, Any], filled: dict[str, Any], holds: Terms) -> Decided:
    """Nothing remembered, nothing left out."""
    return decide(compute(question(call_of(skill, payload), filled, holds)._replace(show=True), holds), holds)


def same(asked: Sequence[tuple[tuple[str, dict[str, Any]], dict[str, Any], Terms]]) -> None:
    """One server is asked all of it, one after the other."""

    async def ask() -> None:
        decisions = Decisions(Inline())
        for (skill, payload), filled, holds in asked:
            decided = await decisions.call(skill, payload, filled, holds)
            assert decided == whole_way(skill, payload, filled, holds), (skill, payload)

    asyncio.run(ask())


@given(st.data(), st.sampled_from(sorted(params)))
def test_calls_are_decided_as_if_each_were_simulated(data: st.DataObject, skill: str) -> None:
    """Some that differ in the call, or the inputs, or what holds."""
    ways = (params[skill].map(lambda payload: (skill, payload)), inputs, terms)
    asked = [data.draw(st.tuples(*ways))]
    for i in data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4)):
        one = data.draw(st.sampled_from(asked))
        asked.append((*one[:i], data.draw(ways[i]), *one[i + 1 :]))
    same(asked)


def with_mail(**changes: Any) -> bytes:
    """The catalog that ships, but for the mail."""
    catalog = default_catalog()
    mail = catalog.skills["email_send"]._replace(**changes)
    return json.dumps(dump_catalog(catalog._replace(skills={**catalog.skills, mail.id: mail}))).encode()


DECLARED = Provenance("declared")
BY_LENGTH = with_mail(cost_by=Growth(0, (Feature("body", 1.0, Constant(9)),), Figure(Constant(1), DECLARED)))
DEARER = with_mail(cost=CallCost(Figure(Constant(7), DECLARED)))
MAIL = {"to": ["a@b.example"], "subject": "s", "body": "two"}
ASK = {"prompt": "p", "model": "gpt-4o", "max_tokens": 1}
GET = {"url": "https://a.example", "method": "GET"}
ACME = Terms("acme")


def under(text: str, **more: Any) -> Terms:
    return Terms("acme", rules=Rules(f"sha256:{len(text)}", (Source("a.cedar", text.encode()),)), **more)


@pytest.mark.parametrize(
    ("skill", "one", "other", "holds"),
    [
        ("email_send", MAIL, {**MAIL, "body": "b" * 400}, Terms("acme", catalog=BY_LENGTH)),
        ("llm_invoke", ASK, {**ASK, "max_tokens": 5_000}, ACME),
        ("llm_invoke", ASK, {**ASK, "prompt": "p" * 30_000}, ACME),
        ("llm_invoke", ASK, {**ASK, "model": "gpt-5-mini"}, ACME),
        ("llm_invoke", ASK, {**ASK, "model": "nobody-knows-it"}, ACME),
        ("llm_invoke", ASK, {**ASK, "prompt": "${secrets.T}"}, ACME),
        ("fs_write", {"path": "a", "content": "b"}, {"path": "a", "content": "${nothing}"}, ACME),
        ("fs_read", READ, {"path": 1}, ACME),
        ("webhook_send", {"url": "https://a.example", "payload": 1}, {"url": "https://a.example"}, ACME),
        ("http_call", GET, {**GET, "method": "POST"}, under(DEAR)),
        ("fs_read", {"path": "b"}, READ, under(WHICH)),
        ("fs_read", READ, {"path": "b"}, under(WHICH)),
    ],
)
def test_calls_that_are_decided_otherwise_are_told_apart(
    skill: str, one: dict[str, Any], other: dict[str, Any], holds: Terms
) -> None:
    assert whole_way(skill, one, {}, holds) != whole_way(skill, other, {}, holds)
    same([((skill, one), {}, holds), ((skill, other), {}, holds)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (under(WHO), under(WHO, agent="rogue")),
        (ACME, Terms("acme", budget=Budget(Decimal(0)))),
        (ACME, Terms("acme", budget=Budget(Decimal(9), unpriced=1))),
        (ACME, Terms("acme", permissions=(Permissions(frozenset({"*"})),))),
        (ACME, Terms("acme", catalog=DEARER)),
        (ACME, under(ANY)),
        (ACME, under("permit (")),
        (under(ANY), under(f"// the same, a line further down\n{ANY}")),
    ],
)
def test_what_holds_tells_them_apart(one: Terms, other: Terms) -> None:
    assert whole_way("email_send", MAIL, {}, one) != whole_way("email_send", MAIL, {}, other)
    same([(("email_send", MAIL), {}, one), (("email_send", MAIL), {}, other)])


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # figures beyond all money
@given(st.data(), catalogs().filter(lambda catalog: catalog.skills), rules)
def test_in_any_catalog_too(data: st.DataObject, catalog: Catalog, holds: Rules | None) -> None:
    """Parameters are features, the model, what effects go by, or nothing at all: whatever the catalog makes of them."""
    document = json.dumps(dump_catalog(catalog)).encode()
    names = {"a", "model", "max_tokens"}
    for skill in catalog.skills.values():
        names |= {feature.name for by in (skill.latency_by, skill.cost_by) if by for feature in by.features}
        names |= {skill.effects_by.param, *skill.effects_by.cases} if skill.effects_by else set()
    stated = st.dictionaries(
        st.sampled_from(sorted(names)), values | models | st.sampled_from(sorted(names)), max_size=4
    )
    calls = st.tuples(st.sampled_from(sorted(catalog.skills)), stated)
    asked = data.draw(st.lists(calls, min_size=2, max_size=4))
    same([(call, {}, Terms("acme", catalog=document, rules=holds)) for call in asked])


@given(st.data(), st.sampled_from(sorted(params)))
def test_a_plain_call_is_the_plan_that_it_stands_for(data: st.DataObject, skill: str) -> None:
    payload = data.draw(params[skill])
    plain = plain_call(skill, payload, default_catalog())
    try:
        plan = parse_plan(call_of(skill, payload), default_catalog(), name="plan").plan
    except InputError:
        plan = None
    unusual = any(mark in json.dumps(payload) for mark in ("${", '""'))
    assert plain == plan or (plain is None and unusual)


def test_calls_that_differ_in_nothing_that_decides_are_computed_once() -> None:
    workers = Inline()
    decisions = Decisions(workers)

    async def ask(payload: dict[str, Any], skill: str = "fs_write", **holds: Any) -> int:
        before = workers.computed
        await decisions.call(skill, payload, {}, Terms("acme", **holds))
        return workers.computed - before

    async def act() -> None:
        written = {"path": "a.txt", "content": "x"}
        assert await ask(written) == 1
        assert await ask({"path": "another", "content": "of any length" * 99}) == 0
        assert await ask(written, agent="a1") == 0
        assert await ask(written, budget=Budget(Decimal(5))) == 1
        assert await ask(written, permissions=(Permissions(frozenset({"fs_write"})),)) == 1
        assert await ask(written, rules=Rules("sha256:d", (Source("a.cedar", ANY.encode()),))) == 1
        assert await ask(written, rules=Rules("sha256:d", (Source("b.cedar", ANY.encode()),))) == 1
        document = dump_catalog(default_catalog())
        document["skills"]["fs_write"]["version"] = "9"
        assert await ask(written, catalog=json.dumps(document).encode()) == 1
        assert [await ask({"prompt": text}, "llm_invoke") for text in ("p", "longer")] == [1, 0]
        for model in ("gpt-4o", "gpt-5-mini"):
            named = [{"prompt": text, "model": model} for text in ("p", "q", "longer")]
            assert [await ask(one, "llm_invoke") for one in named] == [1, 0, 1]

    asyncio.run(act())


@pytest.mark.parametrize("rules_of_whom", ["Agent", "Plan"])
def test_rules_that_ship_name_nobody(rules_of_whom: str) -> None:
    from aos.policy.cedar import DATA

    assert rules_of_whom not in (DATA / "default.cedar").read_text()


def test_what_is_remembered_has_an_end() -> None:
    """Decisions that tell much, and are therefore large: the oldest is forgotten, and computed anew."""
    workers = Inline()
    decisions = Decisions(workers)

    async def ask(cents: int) -> int:
        before, wrong = workers.computed, dict.fromkeys(map(("unknown" * 10 + "{}").format, range(100)), 0)
        await decisions.call("fs_read", wrong, {}, Terms("acme", budget=Budget(Decimal(cents))))
        return workers.computed - before

    async def act() -> None:
        assert sum([await ask(cents) for cents in range(300)]) == 300
        assert [await ask(cents) for cents in (299, 200, 0)] == [0, 0, 1]

    asyncio.run(act())
