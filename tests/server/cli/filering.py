"""A keyring of the tests: a file named by an environment variable."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class Ring(KeyringBackend):
    priority = 1

    def _all(self) -> dict[str, str]:
        path = Path(os.environ["TEST_RING"])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        Path(os.environ["TEST_RING"]).write_text(
            json.dumps({**self._all(), f"{service}/{username}": password})
        )

    def delete_password(self, service: str, username: str) -> None:
        left = self._all()
        del left[f"{service}/{username}"]
        Path(os.environ["TEST_RING"]).write_text(json.dumps(left))
