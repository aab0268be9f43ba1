"""docs/mcp.md says what is so: the tools, their size, an answer, the figures in `_meta`, the limits."""

import json
import re
from pathlib import Path
from typing import Any

from aos.cli.table import COMMANDS
from aos.mcp.clients import CLIENTS
from aos.mcp.messages import MAX_MESSAGE
from aos.mcp.outputs import output_schema
from aos.mcp.setup import Setup
from aos.mcp.tool import Call, Tool, listed
from aos.mcp.tools import ALL, ALWAYS, tools_of
from aos.wire.catalogs.tools import draft_catalog
from tests.cli.process import DEMO

PAGE = (Path(__file__).parents[2] / "docs/mcp.md").read_text("utf-8")


def test_the_table_has_every_tool_and_what_it_answers() -> None:
    rows = [row for row in PAGE.splitlines() if "schemas/" in row and row.startswith("| `")]
    assert [name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])] == [
        tool.name for tool in ALL
    ]
    told = {schema for row in rows for schema in re.findall(r"\[(aos\.[a-z-]+/1)\]", row)}
    assert told == {schema for tool in ALL for schema in tool.gives} - {"aos.simulation-summary/1"}


def test_a_model_reads_as_much_as_it_says() -> None:
    """About four characters are a token."""

    def read(tools: tuple[Tool, ...]) -> int:
        told = [listed(tool, output_schema(tool)) for tool in tools]
        short = [{key: one[key] for key in ("name", "description", "inputSchema")} for one in told]
        return len(json.dumps(short, separators=(",", ":"))) // 4

    assert "about 1,400 tokens, 2,000 with" in PAGE
    assert [round(read(tools), -2) for tools in (ALWAYS, ALL)] == [1_400, 2_000]


def test_the_answer_shown_is_the_answer() -> None:
    arguments = {"plan": json.loads(DEMO.read_text()), "deadline_ms": 800}
    text = tools_of(Setup())["simulate_plan"].work(Setup(), arguments, Call()).text
    assert f"```text\n{text}\n```" in PAGE


def test_the_figures_shown_are_understood() -> None:
    (block,) = re.findall(r'^(\{"_meta".*\})$', PAGE, re.MULTILINE)
    tools: Any = {"tools": [{"name": "a", **json.loads(block)}]}
    assert draft_catalog(tools, name="page").document["skills"]["a"]["cost_cents"] == 0.2


def test_clients_options_and_limits_are_those_there_are() -> None:
    for client in CLIENTS:
        assert f"| `{client}` |" in PAGE
    assert COMMANDS["mcp"].example == "aos mcp --print-config claude"
    assert f"{MAX_MESSAGE // 2**20} MiB in one line" in PAGE
