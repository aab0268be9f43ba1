"""What somebody may do: levels are asked for where they matter, and nobody's silence counts as a yes."""

from typing import Any

import httpx
import pytest

from aos.errors import AosError
from aos_server.http.gate import Gate
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import ACTS, Act, Caller, Principal, require
from aos_server.identity.issuers import Issuer, IssuerClient, faults
from aos_server.identity.remote import Remote
from aos_server.identity.roles import LEVELS
from aos_server.identity.service_keys import ServiceKey, make
from tests.server.identity.issuer import CLAIMS, NOW, OPAQUE, URL, World, identify, run, token, without

ANSWER = {"user_id": "ada", "tenant_id": "acme", "roles": ["owner"], "max_approval_level": 5}
OWNER = Principal(URL, "ada")
ISSUER = str(httpx.URL(URL).host)


def code_of(world: World, text: str, *, live: bool = True, **how: Any) -> str:
    with pytest.raises(AosError) as caught:
        identify(world.identity(**how), text, live=live)
    return caught.value.code


def test_a_claim_alone_gives_at_most_3() -> None:
    caller = identify(World().identity(), token(), live=True)
    assert (caller.level, caller.live) == (3, False)


def test_the_auth_service_alone_says_what_a_person_may_do() -> None:
    world = World()
    world.authority = ANSWER
    caller = identify(world.identity(auth=True), token({**CLAIMS, "roles": ["guest"]}), live=True)
    assert (caller.level, caller.live, caller.roles) == (5, True, ("owner",))
    world.authority = 404
    assert identify(world.identity(auth=True), token(), live=True).level == 0


def test_a_level_is_asked_for_anew_each_time() -> None:
    world = World()
    identity = world.identity(auth=True)

    async def twice() -> list[int]:
        levels = []
        for level in (5, 1):
            world.authority = {**ANSWER, "max_approval_level": level}
            levels.append((await identity.identify(Credentials(token=token()), live=True)).level)
        return levels

    assert run(twice()) == [5, 1]


def test_who_is_asked_can_send_us_and_our_key_nowhere() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "https://evil.example/"})

    async def act() -> int:
        remote = Remote(5, httpx.MockTransport(answer))
        return (
            await remote.get("the auth service", "https://auth.example/", {"authorization": "Bearer k"})
        ).status

    assert (run(act()), asked) == (302, ["https://auth.example/"])


@pytest.mark.parametrize(
    ("roles", "most", "level"), [(["owner"], 2, 2), (["guest"], 5, 1), (["emperor"], 5, 0), ([], 5, 0)]
)
def test_the_level_is_the_lower_of_what_is_said_and_what_the_roles_give(
    roles: list[str], most: int, level: int
) -> None:
    world = World()
    world.authority = {**ANSWER, "roles": roles, "max_approval_level": most}
    assert identify(world.identity(auth=True), token(), live=True).level == level


@pytest.mark.parametrize(
    "answer",
    [
        500,
        401,
        302,
        {},
        {**ANSWER, "user_id": "eve"},
        {**ANSWER, "tenant_id": "other"},
        {**ANSWER, "max_approval_level": 6},
        {**ANSWER, "max_approval_level": "5"},
        {**ANSWER, "roles": "owner"},
        b"not json",
        b'{"user_id":"ada","user_id":"ada"}',
        b"[" * 100_000,
        b'"' + b"x" * 300_000 + b'"',
    ],
    ids=lambda answer: repr(answer)[:40],
)
def test_any_other_answer_of_the_auth_service_is_none(answer: Any) -> None:
    world = World()
    world.authority = answer
    assert code_of(world, token(), auth=True) == "auth_unavailable"


def test_without_the_auth_service_a_valid_token_can_still_read() -> None:
    world = World()
    world.down.add("auth.example")
    assert code_of(world, token(), auth=True) == "auth_unavailable"
    caller = identify(world.identity(auth=True), token({**CLAIMS, "roles": []}), live=False)
    require(caller, "read")


def test_an_opaque_token_is_asked_about() -> None:
    world = World()
    world.introspected = OPAQUE
    caller = identify(world.identity(client=True), "opaque")
    assert (caller.level, caller.live, caller.principal) == (5, True, OWNER)
    assert code_of(world, "opaque") == "unauthenticated"  # nobody to ask


@pytest.mark.parametrize(
    ("text", "how"), [(token(), {}), (token(), {"client": True}), ("opaque", {"client": True})]
)
def test_where_there_is_an_auth_service_no_issuer_gives_a_level(text: str, how: dict[str, Any]) -> None:
    world = World()
    world.introspected, world.authority = OPAQUE, {**ANSWER, "roles": ["guest"], "max_approval_level": 1}
    gate, given = Gate(world.identity(auth=True, **how), None, trusting=False), Credentials(token=text)

    async def levels() -> set[int | str]:
        found = set[int | str]()
        for act in ACTS[1:] * 2:
            caller = await gate.known(given)
            assert caller is not None
            try:
                found.add((await gate.admit(caller, act, {}, given)).level)
            except AosError as error:
                found.add(error.code)
        return found

    assert run(levels()) == {1, "authorization_denied"}


def test_of_an_opaque_token_that_only_reads_its_issuer_is_asked_once_a_minute() -> None:
    world, now = World(), [NOW]
    world.introspected = {**OPAQUE, "exp": NOW + 20}
    identity = world.identity(client=True, now=lambda: now[0])
    gate, given = Gate(identity, None, trusting=False), Credentials(token="opaque")

    async def admitted(act: Act) -> tuple[int, bool]:
        caller = await gate.known(given)
        assert caller is not None
        caller = await gate.admit(caller, act, {}, given)
        return caller.level, caller.live

    async def act() -> None:
        assert [await admitted("read") for _ in range(4)] == [(5, True), *[(3, False)] * 3]
        assert world.asked.count("/introspect") == 1
        for number, what in enumerate(ACTS[1:], 2):
            assert await admitted(what) == (5, True)
            assert world.asked.count("/introspect") == number
        now[0] += 50  # it has expired since
        world.introspected = {"active": False}
        for what in ACTS:
            with pytest.raises(AosError) as caught:
                await admitted(what)
            assert caught.value.code == "unauthenticated"

    run(act())


@pytest.mark.parametrize("noticed_by", ["create", "decide"])
def test_who_changes_something_is_asked_about_and_then_reads_no_more_either(noticed_by: Act) -> None:
    world = World()
    world.introspected = OPAQUE
    gate, given = Gate(world.identity(client=True), None, trusting=False), Credentials(token="opaque")

    async def code(act: Act) -> str | None:
        try:
            caller = await gate.known(given)
            assert caller is not None
            await gate.admit(caller, act, {}, given)
        except AosError as error:
            return error.code
        return None

    async def act() -> list[str | None]:
        assert await code("read") is None
        world.introspected = {"active": False}  # taken back
        return [await code("read"), await code(noticed_by), await code("read")]

    assert run(act()) == [None, "unauthenticated", "unauthenticated"]


def test_a_client_without_a_subject_is_itself_and_a_machine() -> None:
    world = World()
    world.introspected = without(OPAQUE, "sub")
    caller = identify(world.identity(client=True), "opaque")
    assert (caller.principal.subject, caller.kind, caller.level) == ("cli", "machine", 0)
    world.introspected = without(OPAQUE, "sub", "client_id")
    assert code_of(world, "opaque", client=True) == "unauthenticated"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"active": False}, "unauthenticated"),
        ({**OPAQUE, "active": False}, "unauthenticated"),
        ({**OPAQUE, "active": 1}, "auth_unavailable"),
        ({**OPAQUE, "active": "true"}, "auth_unavailable"),
        ({}, "auth_unavailable"),
        (b"", "auth_unavailable"),
        ({**OPAQUE, "token_type": None}, "unauthenticated"),  # a refresh token
        ({**OPAQUE, "aud": "billing"}, "unauthenticated"),
        ({**OPAQUE, "iss": "https://evil.example"}, "unauthenticated"),
        ({**OPAQUE, "exp": NOW - 60}, "unauthenticated"),
    ],
)
def test_an_answer_about_a_token_is_checked(answer: Any, code: str) -> None:
    world = World()
    world.introspected = answer
    assert code_of(world, "opaque", client=True) == code


def test_a_live_answer_about_a_jwt_comes_from_its_issuer() -> None:
    world = World()
    world.introspected = OPAQUE
    assert identify(world.identity(client=True), token(), live=True).level == 5
    world.introspected = {"active": False}  # taken back since
    assert code_of(world, token(), client=True) == "unauthenticated"
    world.introspected = {**OPAQUE, "sub": "eve"}
    assert code_of(world, token(), client=True) == "unauthenticated"


@pytest.mark.parametrize(
    ("more", "down", "authority", "decides"),
    [
        ({}, set(), 404, True),
        ({}, {"issuer"}, 404, True),  # claims count for up to 3, and its keys are known
        ({"client": True}, set(), 404, True),
        ({"client": True}, {"issuer"}, 404, False),
        ({"auth": True}, {"issuer"}, 404, True),
        ({"auth": True}, {"auth.example"}, 404, False),
        ({"auth": True, "unrestricted": True}, {"auth.example"}, 404, True),
        ({"auth": True}, set(), 403, True),  # it may not say whether there is such a tenant
        ({"auth": True}, set(), 401, False),  # our key is none
        ({"auth": True}, set(), 500, False),
        ({"auth": True}, set(), ANSWER, False),  # about somebody else
        ({"auth": True}, set(), {**ANSWER, "user_id": "aos-readiness", "tenant_id": "aos-readiness"}, True),
    ],
)
def test_somebody_can_decide_where_who_must_be_asked_answers(
    more: Any, down: set[str], authority: Any, decides: bool
) -> None:
    world = World()
    identity = world.identity(**more)

    async def act() -> bool:
        await identity.identify(Credentials(token=token()), live=False)
        world.down, world.authority = {ISSUER if name == "issuer" else name for name in down}, authority
        return await identity.can_decide()

    assert run(act()) == decides


def test_nobody_can_decide_before_the_keys_of_tokens_are_known() -> None:
    world = World()
    world.down.add(ISSUER)
    assert not run(world.identity().can_decide())


class Keys:
    def __init__(self, *keys: ServiceKey) -> None:
        self.keys = {key.id: key for key in keys}

    async def find(self, key_id: str) -> ServiceKey | None:
        return self.keys.get(key_id)


def by_key(text: str, keys: Keys) -> Caller:
    return run(World().identity(keys=keys).identify(Credentials(key=text), live=True))


def test_a_service_key_is_a_machine_with_its_scopes() -> None:
    new = make("acme", frozenset({"read", "decide"}), OWNER, per_minute=7)
    caller = by_key(new.text, Keys(new.key))
    assert (caller.kind, caller.tenant, caller.owner) == ("machine", "acme", OWNER)
    assert caller.scopes == {"read"}
    assert caller.per_minute == 7
    assert new.text.encode() not in new.key.sha256 + new.key.id.encode()


def test_a_key_that_is_not_exactly_right_is_refused() -> None:
    new = make("acme", frozenset({"read"}), OWNER)
    old = make("acme", frozenset({"read"}), OWNER, expires_at_s=NOW)
    other = make("acme", frozenset({"read"}), OWNER)
    swapped = new.text[:-43] + other.text[-43:]
    for text in (swapped, other.text, old.text, new.text[:-1], new.text + "x", "aos_", "", new.text.upper()):
        with pytest.raises(AosError) as caught:
            by_key(text, Keys(new.key, old.key))
        assert (caught.value.code, caught.value.detail) == ("unauthenticated", "the service key is not valid")


@pytest.mark.parametrize("act", ACTS)
def test_a_machine_never_decides_and_does_only_what_its_scopes_say(act: Any) -> None:
    machine = Caller(Principal("i", "s"), "acme", "machine", level=5, scopes=frozenset(ACTS))
    if act == "decide":
        with pytest.raises(AosError) as caught:
            require(machine, act)
        assert caught.value.row.status == 403
    else:
        require(machine, act)
        with pytest.raises(AosError):
            require(machine._replace(scopes=machine.scopes - {act}), act)


@pytest.mark.parametrize(
    ("act", "needed"), [("read", 0), ("evaluate", 1), ("create", 2), ("decide", 2), ("operate", 4)]
)
def test_what_each_act_needs(act: Any, needed: int) -> None:
    person = Caller(Principal("i", "s"), "acme", "human", level=needed)
    require(person, act)
    if needed:
        with pytest.raises(AosError):
            require(person._replace(level=needed - 1), act)


def test_every_role_has_the_level_it_is_known_for() -> None:
    assert {level: sum(held == level for held in LEVELS.values()) for level in range(1, 6)} == {
        1: 2,
        2: 3,
        3: 3,
        4: 3,
        5: 2,
    }


@pytest.mark.parametrize(
    "issuers",
    [
        [Issuer(URL, "aos"), Issuer("https://other.example", "aos")],
        [Issuer(URL, "aos", frozenset({"a"})), Issuer("https://o.example", "aos", frozenset({"a", "b"}))],
        [Issuer(URL, "aos"), Issuer(URL, "aos", human=False)],
        [Issuer("http://id.example", "aos")],
        [Issuer(URL, "")],
        [
            Issuer(URL, "aos", client=IssuerClient("a", "b")),
            Issuer("https://o.example", "aos", human=False, client=IssuerClient("a", "b")),
        ],
    ],
)
def test_issuers_that_are_unsafe_together_are_refused(issuers: list[Issuer]) -> None:
    assert faults(issuers)
    with pytest.raises(ValueError, match=r"."):
        World().identity(issuers=issuers)


def test_an_issuer_speaks_only_for_its_tenants() -> None:
    world = World()
    issuers = [Issuer(URL, "aos", frozenset({"acme"})), Issuer("https://o.example", "aos", frozenset({"b"}))]
    assert faults(issuers) == []
    assert identify(world.identity(issuers=issuers), token()).tenant == "acme"
    assert code_of(world, token({**CLAIMS, "tenant_id": "b"}), issuers=issuers) == "unauthenticated"
