"""The secret of an endpoint, derived from a key: who knows one endpoint's can't sign for another."""

import base64

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["endpoint_secret", "fingerprint"]


def endpoint_secret(key: bytes, endpoint_id: str) -> str:
    """`whsec_` and base64 of 32 bytes: HKDF-SHA256 (RFC 5869) of the key for that endpoint, without salt."""
    return "whsec_" + base64.b64encode(_derived(key, f"aos webhook secret\0{endpoint_id}", 32)).decode()


def fingerprint(key: bytes) -> str:
    """16 hexadecimal digits by which people compare keys; the key can't be found from it."""
    return _derived(key, "aos webhook key fingerprint", 8).hex()


def _derived(key: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose.encode()).derive(key)
