"""What tools say of themselves, what they take, and that work which nobody waits for ends."""

import json
import re
from collections.abc import Mapping
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from aos.api.files.sources import load_plan
from aos.errors import InputError
from aos.mcp.outputs import output_schema
from aos.mcp.resources import GUIDE
from aos.mcp.setup import Purse, Runs, Setup
from aos.mcp.tool import Call, Cancelled, Tool, checked, listed
from aos.mcp.tools import ALL, tools_of
from aos.wire.catalogs.read import default_catalog
from aos.wire.catalogs.tools import FIGURES, draft_catalog
from tests.cli.process import DEMO, STEP
from tests.tools.build_mcp_schemas import FILE, outputs

PLAN = json.loads(DEMO.read_text())
TOOLS = tools_of(Setup())


@pytest.mark.parametrize("tool", ALL, ids=[tool.name for tool in ALL])
def test_a_tool_says_all_that_there_is_to_say(tool: Tool) -> None:
    told = listed(tool, output_schema(tool))
    for key in ("inputSchema", "outputSchema"):
        Draft202012Validator(told[key])
        assert told[key]["type"] == "object"
    assert told["inputSchema"]["additionalProperties"] is False
    assert set(told["inputSchema"]["required"]) <= set(told["inputSchema"]["properties"])
    assert {type(hint) for hint in told["annotations"].values()} == {bool}
    assert len(told["annotations"]) == 4
    assert told["_meta"][FIGURES]["version"] == "1"
    assert re.fullmatch(r"[a-z_]{1,64}", tool.name)


def test_the_schemas_of_answers_are_those_of_docs_schemas() -> None:
    assert FILE.read_text("utf-8") == outputs()


def test_the_blocks_of_the_guide_are_plans() -> None:
    blocks = re.findall(r"```json\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    plans = [load_plan(block, default_catalog()).plan for block in blocks]
    assert [len(plan.steps) for plan in plans] == [3, 4]


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({}, ""),
        ({"plan": 5}, "/plan"),
        ({"plan": [STEP], "samples": 99}, "/samples"),
        ({"plan": [STEP], "samples": 160_001}, "/samples"),
        ({"plan": [STEP], "confidence": 1.01}, "/confidence"),
        ({"plan": [STEP], "budget_cents": -1}, "/budget_cents"),
        ({"plan": [STEP], "budget_cents": True}, "/budget_cents"),
        ({"plan": [STEP], "deadline_ms": 0}, "/deadline_ms"),
        ({"plan": [STEP], "seed": "${steps.a.output.b}"}, "/seed"),
        ({"plan": [STEP], "force": True}, "/force"),
    ],
)
def test_arguments_are_what_the_schema_says(arguments: Mapping[str, Any], pointer: str) -> None:
    with pytest.raises(InputError) as refused:
        checked(TOOLS["simulate_plan"], arguments)
    assert [(found.pointer, found.code) for found in refused.value.findings] == [(pointer, "bad_params")]


def test_money_is_exact() -> None:
    with pytest.raises(InputError) as refused:
        TOOLS["simulate_plan"].work(Setup(), {"plan": [STEP], "budget_cents": 0.0000001}, Call())
    assert refused.value.findings[0].pointer == "/budget_cents"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("simulate_plan", {"plan": PLAN, "samples": 40_000}),
        ("simulate_plan", {"plan": PLAN, "samples": 100, "deadline_ms": 1, "alternatives": True}),
        ("compare_plans", {"before": PLAN, "after": PLAN, "samples": 40_000}),
    ],
    ids=["drawing", "searching", "comparing"],
)
def test_work_ends_soon_after_nobody_waits_for_it(tool: str, arguments: dict[str, Any]) -> None:
    """Not one more chunk is drawn, wherever in the work it is."""
    drawn = told_until(tool, arguments, None)
    assert len(drawn) > 1
    assert drawn == sorted(drawn)
    for enough in {1, len(drawn) // 2, len(drawn) - 1}:
        assert told_until(tool, arguments, enough) == drawn[:enough]


def told_until(tool: str, arguments: dict[str, Any], enough: int | None) -> list[int]:
    """What is told of the progress of a call that is cancelled when that much was told."""
    told: list[int] = []

    def tell(drawn: int) -> None:
        told.append(drawn)
        if len(told) == enough:
            call.cancel()

    call = Call(tell)
    with nullcontext() if enough is None else pytest.raises(Cancelled):
        TOOLS[tool].work(Setup(), arguments, call)
    return told


def test_a_run_that_begins_after_the_call_was_cancelled_is_stopped_at_once() -> None:
    call, stopped = Call(), list[str]()
    call.stoppable(lambda: stopped.append("before"))
    call.cancel()
    call.stoppable(lambda: stopped.append("after"))
    assert stopped == ["before", "after"]


def test_an_approval_is_that_of_the_session_s_server(tmp_path: Path) -> None:
    setup = Setup(runs=Runs(Purse(Decimal(5))), ledger=tmp_path / "ledger.db")
    with pytest.raises(InputError) as refused:
        tools_of(setup)["run_plan"].work(setup, {"plan": [STEP], "approval": "some"}, Call())
    assert refused.value.findings[0].pointer == "/approval"
    assert setup.runs is not None
    assert setup.runs.purse.left_cents == 5


def test_figures_in_meta_go_into_a_drafted_catalog() -> None:
    """Our extension of tools/list: what a server says of cost and time is taken, what it leaves out stays unknown."""
    said = {"version": "1", "cost_cents": {"p50": 2, "p90": 5}, "latency_ms": 300}
    tools: Any = [
        {"name": "a", "_meta": {FIGURES: said}},
        {"name": "b", "_meta": {"other/x": 1}},
        {"name": "c"},
    ]
    tools.append({"name": "d", "_meta": {FIGURES: {"version": "2", "cost_cents": "new"}}})
    document, guesses = draft_catalog({"tools": tools}, name="tools")
    skills = document["skills"]
    assert skills["a"]["cost_cents"] == {"p50": 2, "p90": 5}
    assert skills["a"]["latency_ms"] == 300
    for other in "bcd":
        assert not {"cost_cents", "latency_ms", "failures"} & {*skills[other]}
    assert "another version than 1" in " ".join(guess.reason for guess in guesses)


@pytest.mark.parametrize(
    "meta", [5, {FIGURES: 5}, {FIGURES: {"cost_cents": 1}}, {FIGURES: {"version": "1", "x": 1}}]
)
def test_figures_that_are_none_are_refused(meta: Any) -> None:
    with pytest.raises(InputError):
        draft_catalog({"tools": [{"name": "a", "_meta": meta}]}, name="tools")
