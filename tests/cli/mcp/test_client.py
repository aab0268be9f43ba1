"""`aos mcp` as the client of the protocol's own library sees it."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from aos.mcp.tools import ALWAYS
from aos.wire.encode import one_line
from tests.cli.process import DEMO, STEP, aos, clean, command
from tests.cli.schemas import assert_unknowns_are_null, faults

PLAN = json.loads(DEMO.read_text())
LATE = {"plan": PLAN, "deadline_ms": 800, "seed": 3}
ASKED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "late": ("simulate_plan", LATE),
    "summary": ("simulate_plan", {"plan": json.dumps(PLAN), "detail": "summary", "samples": 100}),
    "sound": ("check_plan", {"plan": [STEP]}),
    "wrong": (
        "check_plan",
        {"plan": [{"skill": "http_cal", "params": {"\u202e": 1}}, {**STEP, "nedes": []}]},
    ),
    "misspelt": ("simulate_plan", {"plan": [STEP], "bugdet_cents": 1, "seed": -1, "budget_cents": "${x}"}),
    "compared": ("compare_plans", {"before": PLAN, "after": [STEP], "samples": 100}),
    "skills": ("list_skills", {}),
    "skill": ("describe_skill", {"skill": "llm_invoke"}),
    "no skill": ("describe_skill", {"skill": "http_cal"}),
    "here": ("capabilities", {}),
    "allowed": ("query", {"query_type": "allowed_skills"}),
    "tried": ("query", {"query_type": "what_did_i_try_already"}),
    "code": ("explain_code", {"code": "too_close"}),
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One conversation: what was listed, and what each call was answered."""
    return asyncio.run(_conversation(tmp_path_factory.mktemp("session")))


async def _conversation(folder: Path) -> dict[str, Any]:
    from mcp import Client, MCPError, StdioServerParameters
    from mcp.client.stdio import stdio_client

    program, *words = command("mcp")
    started = StdioServerParameters(command=program, args=words, env=clean(folder), cwd=folder)
    async with Client(stdio_client(started)) as client:
        tools = await client.list_tools()
        heard: dict[str, Any] = {
            "tools": [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools.tools]
        }
        for name, (tool, arguments) in ASKED.items():
            heard[name] = await client.call_tool(tool, arguments)
        heard["resources"] = {
            str(one.uri): (await client.read_resource(str(one.uri))).contents[0].model_dump(by_alias=True)
            for one in (await client.list_resources()).resources
        }
        heard["one skill"] = await client.read_resource("aos://skills/fs_read")
        heard["prompt"] = await client.get_prompt("plan_task", {"task": "x", "budget_cents": "5"})
        for name, asking in (
            ("no tool", client.call_tool("approve", {})),
            ("no resource", client.read_resource("aos://skill/fs_read")),
            ("no prompt", client.get_prompt("plan_task", {})),
        ):
            with pytest.raises(MCPError) as refused:
                await asking
            heard[name] = refused.value.error
    return heard


def test_its_tools_are_those_that_only_read(heard: dict[str, Any]) -> None:
    assert [tool["name"] for tool in heard["tools"]] == [tool.name for tool in ALWAYS]
    for tool in heard["tools"]:
        hints = tool["annotations"]
        assert hints == {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        }


def test_what_a_model_reads_of_the_tools_is_short(heard: dict[str, Any]) -> None:
    """Of text like this a token is about four characters."""
    read = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in heard["tools"]]
    assert len(json.dumps(read, separators=(",", ":"))) < 6_000
    assert len(json.dumps(heard["tools"], separators=(",", ":"))) < 20_000


@pytest.mark.parametrize("name", ASKED)
def test_every_answer_is_as_its_schemas_say(heard: dict[str, Any], name: str) -> None:
    answer, tool = heard[name], ASKED[name][0]
    said = next(one["outputSchema"] for one in heard["tools"] if one["name"] == tool)
    assert Draft202012Validator(said).is_valid(answer.structured_content)
    assert faults(answer.structured_content) == []
    assert_unknowns_are_null(answer.structured_content)
    assert answer.is_error == (answer.structured_content["schema"] == "aos.problem/1")
    (text,) = answer.content
    assert text.text.strip()
    assert "\u202e" not in text.text


def test_a_forecast_is_byte_for_byte_that_of_the_command_line(heard: dict[str, Any], tmp_path: Path) -> None:
    words = ["simulate", str(DEMO), "--deadline", "800", "--seed", "3", "--json"]
    assert one_line(heard["late"].structured_content) + "\n" == aos(*words, cwd=tmp_path).text


def test_the_verdict_is_told_in_a_few_lines(heard: dict[str, Any]) -> None:
    verdict, chance, why, change = heard["late"].content[0].text.splitlines()
    assert verdict == "INFEASIBLE  0c, typically 810 ms"
    assert chance.endswith("of runs succeed by the deadline")
    assert why.startswith("why: Past the deadline (deadline_exceeded): ")
    assert change.startswith("smallest change: deadline_ms=")


def test_everything_wrong_is_told_at_once_where_it_was_written(heard: dict[str, Any]) -> None:
    def told(name: str) -> list[tuple[str, str]]:
        return [(one["pointer"], one["code"]) for one in heard[name].structured_content["errors"]]

    assert told("wrong") == [("/plan/0/skill", "unknown_skill"), ("/plan/1/nedes", "unknown_key")]
    assert sorted(told("misspelt")) == [
        ("/budget_cents", "bad_params"),
        ("/bugdet_cents", "bad_params"),
        ("/seed", "bad_params"),
    ]
    assert "tools/list" in heard["misspelt"].structured_content["fix"]


def test_what_is_not_there_is_refused_with_what_is(heard: dict[str, Any]) -> None:
    for name, allowed in (("no tool", "simulate_plan"), ("no resource", "aos://skills")):
        assert heard[name].code == -32602
        assert faults(heard[name].data) == []
        assert allowed in heard[name].data["errors"][0]["allowed"]
    assert heard["no prompt"].data["code"] == "invalid_arguments"


def test_resources_are_what_the_commands_print(heard: dict[str, Any]) -> None:
    found = heard["resources"]
    assert json.loads(found["aos://plan.schema.json"]["text"])["title"]
    assert found["aos://catalog"]["text"] == aos("catalog", "show").text.removesuffix("\n")
    assert json.loads(found["aos://skills"]["text"]) == aos("skills", "--json").document
    (skill,) = heard["one skill"].contents
    assert json.loads(skill.text)["id"] == "fs_read"
    assert found["aos://guide"]["mimeType"] == "text/markdown"


def test_the_prompt_leads_from_a_task_to_a_verdict(heard: dict[str, Any]) -> None:
    text = heard["prompt"].messages[0].content.text
    assert "simulate_plan with it and budget_cents=5" in text


def test_a_session_that_nobody_allowed_anything_may_do_nothing(heard: dict[str, Any]) -> None:
    here = heard["here"].structured_content
    assert [here[key] for key in ("may_run", "may_request_approval", "may_approve")] == [False] * 3
    assert here["run_budget_cents"] is None
