"""docs/runbooks/key-rotation.md: its commands run on each keystore, its settings and codes exist."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aos.errors import CODES
from aos_server.keystores.keyring import Keyring
from aos_server.settings import VARIABLES
from tests.server.keystores.places import Place, Vault

PAGE = (Path(__file__).parents[3] / "docs/runbooks/key-rotation.md").read_text("utf-8")


def test_the_commands_run_as_they_stand(place: Place, request: pytest.FixtureRequest):
    """With no more rights than the page says that they need, where a keystore can tell."""
    if place.kind == "vault":
        place = as_the_policy_says(place, request.getfixturevalue("vault"))
    commands = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**place.environment, "AOS_WEBHOOK_KEYS": place.kind, "PATH": path}
    done = subprocess.run(
        ["bash", "-e"],
        input="\n".join(commands),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    backend, now = place.open(), datetime.now(UTC)
    assert [one.name for one in Keyring(backend, now).keys.versions] == ["v2"]
    assert backend.key("v2").decode() not in done.stdout


def as_the_policy_says(place: Place, vault: Vault) -> Place:
    (policy,) = re.findall(r"```hcl\n(.*?)```", PAGE, re.DOTALL)
    mine = policy.replace('"secret/', f'"{place.environment["AOS_VAULT_MOUNT"]}/')
    vault.call("PUT", "sys/policies/acl/runbook", policy=mine)
    token = vault.call("POST", "auth/token/create", policies=["runbook"]).json()["auth"]["client_token"]
    return place._replace(environment={**place.environment, "VAULT_TOKEN": token})


def test_the_settings_are_settings():
    blocks = "".join(re.findall(r"```sh settings\n(.*?)```", PAGE, re.DOTALL))
    names = set(re.findall(r"([A-Z_]+)=", blocks))
    assert names
    assert names <= set(VARIABLES)


def test_the_codes_have_those_statuses():
    shown = {code: int(status) for status, code in re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)}
    assert shown == {code: CODES[code].exit for code in shown}
    ours = {code for code, row in CODES.items() if row.area == "keys"}
    assert ours - {"key_not_found"} <= set(shown)
