"""Messages to webhooks, signed so that their receivers can tell who sent them, and verified.

The scheme is Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, with a secret
written as `whsec_` and base64 of 24 to 64 bytes. While a secret is being replaced both are live, and a message bears a
signature of each.

signatures   a sender: sign
receiving    a receiver: verify, and everything that can be wrong with a message
seen         the ids a receiver has seen, so that it does nothing twice
middleware   the same in front of an ASGI application: Starlette, FastAPI
"""

from aos.webhooks.receiving import FUTURE, PAST, SignatureError, verify
from aos.webhooks.signatures import new_secret, sign

__all__ = ["FUTURE", "PAST", "SignatureError", "new_secret", "sign", "verify"]
