"""The keys that sign webhooks: list, show, rotate, retire, verify, rehearse. Metadata alone, never a key."""

from datetime import timedelta

from aos.errors import AosError
from aos.wire.results.documents import Document
from aos_server.http.endpoint import Call
from aos_server.http.models.keys import RetireKey, RotateKeys
from aos_server.services.webhooks.keys import KeyService

__all__ = ["KeyCalls"]


class KeyCalls:
    """The handlers of `/api/v1/keys`."""

    def __init__(self, keys: KeyService | None) -> None:
        self._kept = keys

    @property
    def _keys(self) -> KeyService:
        if self._kept is None:
            raise AosError("unavailable", "no keys are kept here")
        return self._kept

    async def list_keys(self, call: Call) -> Document:
        """All versions, newest first."""
        return await self._keys.list()

    async def show_key(self, call: Call) -> Document:
        """One version with its fingerprint."""
        return await self._keys.show(call.path["version"])

    async def verify_keys(self, call: Call) -> Document:
        """Whether every key that signs is there and whole."""
        return await self._keys.verify()

    async def rotate_keys(self, call: Call) -> Document:
        """Make a key that signs from now on."""
        asked: RotateKeys = call.body
        overlap = timedelta(hours=asked.overlap_hours)
        return await self._keys.rotate(call.caller, overlap, asked.dry_run)

    async def retire_key(self, call: Call) -> Document:
        """Remove a key for good."""
        asked: RetireKey = call.body
        version = call.path["version"]
        return await self._keys.retire(call.caller, version, asked.confirm, asked.dry_run)

    async def rehearse_key(self, call: Call) -> Document:
        """Ask every webhook whether it accepts the current key alone."""
        return await self._keys.rehearse(call.caller)

    async def show_rehearsal(self, call: Call) -> Document:
        """What they have answered."""
        return await self._keys.rehearsal(call.caller)
