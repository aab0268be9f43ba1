"""A genuine access token is accepted; whatever is nearly one is refused, and the refusal says everything at once."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import AosError
from aos_server.identity.authenticate import Credentials, credentials
from aos_server.identity.caller import Principal
from aos_server.identity.claims import LEEWAY_S, MAX_LIFE_S, check
from aos_server.identity.issuers import Issuer
from tests.server.identity import issuer as world
from tests.server.identity.issuer import CLAIMS, HEADER, NOW, URL, World, identify, raw_token, token, without

ISSUER = Issuer(URL, "aos")
STRANGER = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
PUBLIC = world.RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hs256_with_the_public_key() -> str:
    import base64
    import hashlib
    import hmac

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    header = part(json.dumps({**HEADER, "alg": "HS256"}).encode())
    signed = header + b"." + part(json.dumps(dict(CLAIMS)).encode())
    return (signed + b"." + part(hmac.digest(PUBLIC, signed, hashlib.sha256))).decode()


def with_header(**more: Any) -> str:
    return token(header={**HEADER, **more})


def with_claims(**more: Any) -> str:
    return token({**CLAIMS, **more})


def tampered() -> str:
    head, _, signature = token().split(".")
    return ".".join((head, with_claims(sub="eve").split(".")[1], signature))


def doubled() -> str:
    return raw_token(json.dumps(dict(CLAIMS)).replace('"sub": "ada"', '"sub": "ada", "sub": "eve"').encode())


HOSTILE = {
    "no algorithm": lambda: token(key=None, algorithm="none"),
    "no algorithm, spelled oddly": lambda: token(key=None, algorithm="none").replace(
        token(key=None, algorithm="none").split(".")[0],
        jwt.utils.base64url_encode(json.dumps({**HEADER, "alg": "nOnE"}).encode()).decode(),
    ),
    "HS256 with the public key": hs256_with_the_public_key,
    "another key of the same name": lambda: token(key=STRANGER),
    "tampered claims": tampered,
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "signed by a weak key": lambda: token(header={**HEADER, "kid": "weak"}, key=WEAK),
    "an algorithm its key is not for": lambda: token(algorithm="PS256"),
    "a key of another kind": lambda: with_header(kid="ec"),
    "a key id nobody has": lambda: with_header(kid="../../etc/passwd"),
    "a key id that is SQL": lambda: with_header(kid="x' UNION SELECT 'key"),
    "an empty key id": lambda: with_header(kid=""),
    "no key id": lambda: token(header={"typ": "at+jwt"}),
    "a shared key id": lambda: with_header(kid="twice"),
    "an encryption key": lambda: with_header(kid="enc"),
    "its own key": lambda: with_header(jwk=world.jwk(STRANGER, "rsa", "RS256")),
    "the address of its key": lambda: with_header(jku="https://evil.example/jwks"),
    "a certificate": lambda: with_header(x5c=["MII"]),
    "something critical": lambda: with_header(crit=["exp"], exp=1),
    "a payload beside it": lambda: with_header(crit=["b64"], b64=False),
    "an ID token": lambda: with_header(typ="JWT"),
    "no type": lambda: with_header(typ=None),
    "a logout token": lambda: with_header(typ="logout+jwt"),
    "the claims twice": doubled,
    "NaN": lambda: raw_token(json.dumps({**CLAIMS, "exp": float("nan")}).encode()),
    "claims that are a list": lambda: raw_token(json.dumps([dict(CLAIMS)]).encode()),
    "deep claims": lambda: raw_token(b'{"a":' * 500 + b"1" + b"}" * 500),
    "UTF-16": lambda: raw_token(json.dumps(dict(CLAIMS)).encode("utf-16")),
    "another audience": lambda: with_claims(aud="billing"),
    "an audience inside another": lambda: with_claims(aud="aos-billing"),
    "another issuer": lambda: with_claims(iss="https://evil.example"),
    "almost the issuer": lambda: with_claims(iss=URL + "/"),
    "expired": lambda: with_claims(iat=NOW - 3600, exp=NOW - LEEWAY_S),
    "ten years": lambda: with_claims(exp=NOW + 10 * 365 * 86400),
    "issued tomorrow": lambda: with_claims(iat=NOW + 86400, exp=NOW + 86400 + 60),
    "not valid yet": lambda: with_claims(nbf=NOW + 600),
    "an end before its start": lambda: with_claims(iat=NOW, exp=NOW - 1),
    "true as a time": lambda: with_claims(exp=True),
    "a time as text": lambda: with_claims(exp=str(NOW + 60)),
    "no subject": lambda: token(without(CLAIMS, "sub")),
    "an empty subject": lambda: with_claims(sub=""),
    "a subject of blanks": lambda: with_claims(sub=" ada"),
    "a subject with a line break": lambda: with_claims(sub="ada\nadmin"),
    "a long subject": lambda: with_claims(sub="a" * 256),
    "a tenant outside the alphabet": lambda: with_claims(tenant_id="acme/../other"),
    "no tenant": lambda: token(without(CLAIMS, "tenant_id")),
    "no end": lambda: token(without(CLAIMS, "exp")),
    "no start": lambda: token(without(CLAIMS, "iat")),
    "roles as text": lambda: with_claims(roles="owner"),
    "roles that are no text": lambda: with_claims(roles=[5]),
    "four parts": lambda: token() + ".x",
    "two dots": lambda: "..",
    "no base64": lambda: "a*b.c*d.e*f",
}  # fmt: skip


@pytest.fixture
def keys() -> World:
    there = World()
    there.keys += [
        world.jwk(WEAK, "weak", "RS256"),
        world.jwk(STRANGER, "twice", "RS256"),
        world.jwk(world.RSA, "twice", "RS256"),
        {**world.jwk(world.RSA, "enc", "RS256"), "use": "enc"},
        {"kty": "oct", "kid": "oct", "k": "AAAA"},
    ]
    return there


@pytest.mark.parametrize(
    "make", [token, lambda: token(header={**HEADER, "kid": "ec"}, key=world.EC, algorithm="ES256")]
)
def test_a_genuine_token_is_accepted(make: Any, keys: World) -> None:
    caller = identify(keys.identity(), make())
    assert (caller.principal, caller.tenant, caller.kind) == (Principal(URL, "ada"), "acme", "human")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_token_is_refused(make: Any, keys: World) -> None:
    with pytest.raises(AosError) as caught:
        identify(keys.identity(), make())
    assert (caught.value.code, caught.value.row.status) == ("unauthenticated", 401)


@given(
    st.text()
    | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,40}", fullmatch=True)
)
def test_whatever_the_text_it_is_a_401(text: str) -> None:
    with pytest.raises(AosError) as caught:
        identify(World().identity(), text)
    assert caught.value.code == "unauthenticated"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    claims = {**without(CLAIMS, "tenant_id"), "aud": "x", "iat": NOW - 200, "exp": NOW - 99, "sub": ""}
    with pytest.raises(AosError) as caught:
        identify(World().identity(), token(claims))
    assert [finding.pointer for finding in caught.value.findings] == ["", "/aud", "/exp", "/sub"]


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"iat": NOW - 60, "exp": NOW - LEEWAY_S + 1}, True),
        ({"iat": NOW - 60, "exp": NOW - LEEWAY_S}, False),
        ({"iat": NOW + LEEWAY_S, "exp": NOW + 100}, True),
        ({"iat": NOW + LEEWAY_S + 1, "exp": NOW + 100}, False),
        ({"iat": NOW, "exp": NOW + MAX_LIFE_S}, True),
        ({"iat": NOW, "exp": NOW + MAX_LIFE_S + 1}, False),
        ({"sub": "a" * 255}, True),
        ({"tenant_id": "t" * 64}, True),
        ({"tenant_id": "t" * 65}, False),
        ({"aud": ["other", "aos"]}, True),
    ],
)
def test_limits_hold_to_the_last_unit(claims: dict[str, Any], accepted: bool) -> None:
    try:
        check({**CLAIMS, **claims}, ISSUER, NOW)
    except AosError:
        assert not accepted
    else:
        assert accepted


@pytest.mark.parametrize(
    ("claims", "machine"),
    [
        (CLAIMS, False),
        ({**CLAIMS, "sub": "cli"}, True),
        ({**without(CLAIMS, "client_id"), "azp": "ada"}, True),
        (without(CLAIMS, "client_id"), True),
        ({**CLAIMS, "act": {"sub": "agent"}}, True),
    ],
)
def test_who_speaks_for_itself_or_for_another_is_a_machine(claims: dict[str, Any], machine: bool) -> None:
    assert check(claims, ISSUER, NOW).machine is machine
    assert check(claims, ISSUER._replace(human=False), NOW).machine


@pytest.mark.parametrize(
    ("headers", "given"),
    [
        ([], Credentials()),
        ([(b"authorization", b"Bearer abc")], Credentials(token="abc")),
        ([(b"authorization", b"bearer  abc")], Credentials(token="abc")),
        ([(b"x-aos-key", b"aos_x")], Credentials(key="aos_x")),
        ([(b"authorization", b"Bearer aos_x")], Credentials(key="aos_x")),
    ],
)
def test_a_credential_is_found(headers: Any, given: Credentials) -> None:
    assert credentials(headers) == given


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Basic YTpi")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer a b")],
        [(b"authorization", b"Bearer a,b")],
        [(b"authorization", "Bearer ä".encode())],
        [(b"authorization", b"Bearer " + b"a" * 9000)],
        [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
        [(b"authorization", b"Bearer a"), (b"x-aos-key", b"aos_x")],
    ],
)
def test_a_credential_that_is_not_clear_is_refused(headers: Any) -> None:
    with pytest.raises(AosError) as caught:
        credentials(headers)
    assert caught.value.code == "unauthenticated"
