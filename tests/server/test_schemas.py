"""What `aos-server` prints has a committed JSON Schema, and there is none for what it does not print."""

import re
from pathlib import Path

from tests.cli.schemas import SERVER_SCHEMAS

CLI = Path(__file__).parents[2] / "src/aos_server/cli"


def test_every_document_of_the_host_has_a_schema_and_the_other_way_round() -> None:
    printed = {
        name
        for path in CLI.rglob("*.py")
        for name in re.findall(r'"(aos\.[a-z-]+/\d+)"', path.read_text("utf-8"))
    }
    assert printed == set(SERVER_SCHEMAS)
