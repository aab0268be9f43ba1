"""The part of the API that is about the keys that sign webhooks."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.keys import KeyCalls
from aos_server.http.models.base import InTenant
from aos_server.http.models.keys import (
    Key,
    KeyList,
    KeyRehearsal,
    KeysChange,
    KeysCheck,
    RehearseKey,
    RetireKey,
    RotateKeys,
)

__all__ = ["keys"]


def keys(at: str, to: KeyCalls) -> tuple[Endpoint, ...]:
    """Keys. They are the server's: what is done to them is done for every tenant, and takes its operators."""
    asking = ["keystore_unavailable", "keystore_forbidden", "key_unsafe", "keys_damaged"]
    changing = [*asking, "key_not_found", "keys_conflict", "keys_unknown", "write_failed"]
    every = (
        Endpoint(
            "GET",
            at,
            "Versions of the key that signs webhooks, the newest first",
            to.list_keys,
            KeyList,
            act="operate",
            query=InTenant,
            codes=asking,
        ),
        Endpoint(
            "POST",
            f"{at}/rotate",
            "Make a key that signs from now on, or say what that would change",
            to.rotate_keys,
            KeysChange,
            act="operate",
            body=RotateKeys,
            codes=[*changing, "bad_value"],
        ),
        Endpoint(
            "POST",
            f"{at}/rehearsal",
            "Send every webhook a message that the current key alone has signed",
            to.rehearse_key,
            KeyRehearsal,
            act="operate",
            body=RehearseKey,
            codes=[*asking, "key_missing"],
            status=202,
        ),
        Endpoint(
            "GET",
            f"{at}/rehearsal",
            "Which webhooks accept the current key alone",
            to.show_rehearsal,
            KeyRehearsal,
            act="operate",
            query=InTenant,
            codes=[*asking, "key_missing"],
        ),
        Endpoint(
            "GET",
            f"{at}/verify",
            "Whether every key that signs is there and whole, and no other",
            to.verify_keys,
            KeysCheck,
            act="operate",
            query=InTenant,
            codes=asking,
        ),
        Endpoint(
            "GET",
            f"{at}/{{version}}",
            "One version with its fingerprint; never a key",
            to.show_key,
            Key,
            act="operate",
            query=InTenant,
            codes=[*asking, "key_not_found"],
        ),
        Endpoint(
            "POST",
            f"{at}/{{version}}/retire",
            "Remove a key for good; not while a webhook has not accepted the new one, unless it is confirmed",
            to.retire_key,
            KeysChange,
            act="operate",
            body=RetireKey,
            codes=[*changing, "keys_not_accepted"],
        ),
    )
    return tuple(one._replace(of_server=True) for one in every)
