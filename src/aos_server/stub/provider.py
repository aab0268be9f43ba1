"""The OpenID provider of development: a key made at start, and access tokens as RFC 9068 wants them."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from aos_server.stub.users import USERS

__all__ = ["CLIENT_ID", "StubProvider"]

CLIENT_ID = "aos-cli"
_ALGORITHM = "ES256"


class StubProvider:
    """Issues tokens for the sample people. `url` is its issuer, `audience` whom the tokens are for.

    Every start makes a new key, which ends what the last one issued.
    """

    def __init__(self, url: str, audience: str = "aos", clock: Callable[[], float] = time.time) -> None:
        self.url = url
        self._audience = audience
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kid = secrets.token_urlsafe(8)

    def token(self, user: str, tenant: str, *, life_s: int = 3600) -> str:
        """An access token for one of the sample people. Raises KeyError for anybody else."""
        now = int(self._clock())
        claims = {
            "iss": self.url,
            "sub": user,
            "aud": self._audience,
            "iat": now,
            "exp": now + life_s,
            "jti": secrets.token_urlsafe(16),
            "client_id": CLIENT_ID,
            "tenant_id": tenant,
            "roles": list(USERS[user]),
        }
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"typ": "at+jwt", "kid": self._kid})

    def metadata(self) -> Mapping[str, Any]:
        """OpenID Connect Discovery 1.0, as far as there is something to discover."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
        }

    def keys(self) -> Mapping[str, Any]:
        """The public key, as a JWK set (RFC 7517)."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": _ALGORITHM}]}
