"""Commands of `aos-server` that set something, as a process."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.cli.schemas import faults


def host(base, *words: str) -> tuple[int, dict[str, Any]]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AOS_")},
        "DATABASE_URL": base.pooled("aos_app"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "AOS_OIDC_ISSUER": "https://login.example.com",
        "AOS_OIDC_AUDIENCE": "aos",
    }
    words = (sys.executable, "-m", "aos_server", *words, "--json")
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    assert faults(document) == []
    return done.returncode, document
