"""`--json`: one object on stdout and nothing else, as its committed schema says, on success and on failure."""

import json
import shutil
from pathlib import Path

import pytest

from aos.api.running.runs import export
from aos.cli.table import COMMANDS
from aos.ledger.ledger import Ledger
from aos.mcp.tools import ALL
from tests.cli.process import DEMO, STEP, aos, inline
from tests.cli.schemas import SCHEMAS, assert_unknowns_are_null, faults
from tests.unit.ledger.build import intent, start, write_run

TOOLS = {
    "tools": [{"name": "look/up", "description": "Look a word up", "annotations": {"readOnlyHint": True}}]
}

RUNS = DEMO.parents[2] / "records/runs.csv"
RULES = DEMO.parents[2] / "policies/cheap-and-likely"

# Words, input, the document's schema. Together they print every document there is.
ANSWERS = [
    ("init new", "", "aos.files/1"),
    (f"simulate {DEMO} --budget 100", "", "aos.simulation/1"),
    ("simulate --many", json.dumps([STEP]), "aos.simulation/1"),
    ("simulate --many --summary", json.dumps([STEP]), "aos.simulation-summary/1"),
    ("run - --ledger l.db", json.dumps([STEP]), "aos.run/1"),
    (f"diff {DEMO} {DEMO}", "", "aos.diff/1"),
    (f"verify {DEMO.with_name('expected.json')}", "", "aos.verification/1"),
    (f"calibrate {RUNS} --by region --out catalog.json", "", "aos.calibration/1"),
    (f"backtest {RUNS} --auto", "", "aos.backtest/1"),
    ("capabilities", "", "aos.capabilities/1"),
    ("capabilities --state", "", "aos.capabilities/1"),
    ("skills", "", "aos.skills/1"),
    ("skill llm_invoke", "", "aos.skill/1"),
    ("skill http_call", "", "aos.skill/1"),
    ("catalog init translate", "", "aos.draft/1"),
    ("catalog import -", json.dumps(TOOLS), "aos.draft/1"),
    ("catalog show", "", "aos.catalog/1"),
    ("catalog check unknown.json", "", "aos.catalog-check/1"),
    ("skill nothing-known --catalog unknown.json", "", "aos.skill/1"),
    (f"plan check {DEMO}", "", "aos.plan-check/1"),
    (f"plan fmt {DEMO}", "", "aos.plan/1"),
    ("plan schema", "", "aos.plan-schema/1"),
    ("query allowed_skills", "", "aos.query/1"),
    ("query skills_available_for_goal --goal webhook", "", "aos.query/1"),
    ("query remaining_budget_cents --budget 100", "", "aos.query/1"),
    ("runs list --ledger ledger.db", "", "aos.runs/1"),
    ("runs list --ledger none.db", "", "aos.runs/1"),
    ("runs show good --ledger ledger.db", "", "aos.recorded-run/1"),
    ("runs show --ledger ledger.db", "", "aos.recorded-run/1"),
    ("runs reconcile dead --step s1 --committed --ledger ledger.db", "", "aos.reconciliation/1"),
    ("runs mark-done dead --step s1 --reason why --ledger ledger.db", "", "aos.marked-step/1"),
    ("runs import runs.jsonl --ledger new.db", "", "aos.ledger-import/1"),
    ("ledger verify --ledger ledger.db", "", "aos.ledger-check/1"),
    ("policy check", "", "aos.policy-check/1"),
    (f"policy eval {DEMO}", "", "aos.policy-evaluation/1"),
    (f"policy replay {RULES} --plans {DEMO}", "", "aos.policy-replay/1"),
    ("explain too_close", "", "aos.explain/1"),
    ("explain TIMEOUT", "", "aos.explain/1"),
    ("explain", "", "aos.codes/1"),
    ("mcp --print-config claude", "", "aos.mcp-config/1"),
    ("completion bash", "", "aos.completion/1"),
    ("help plan check", "", "aos.help/1"),
    ("simulate --help", "", "aos.help/1"),
    ("help exit-codes", "", "aos.exit-codes/1"),
    ("version", "", "aos.version/1"),
]

# Words, and the schema of the lines: of all, or of the first.
STREAMS = [
    ("runs watch good --ledger ledger.db", "aos.entry/1"),
    ("runs export --ledger ledger.db", "aos.ledger-export/1"),
    ("runs export good --ledger ledger.db", "aos.ledger-export/1"),
]

# What takes a server to answer is tried in tests/server/cli.
SERVED = {
    *("login", "logout", "whoami", "health", "runs push"),
    *("audit list", "audit show", "audit verify"),
    *("loadtest", "policy push", "policy list", "policy show", "policy diff", "policy activate"),
    *("requests list", "requests create", "requests show", "requests cancel", "requests escalate"),
    *("requests review", "requests waits", "approve", "reject"),
    *(name for name in COMMANDS if name.startswith(("webhooks ", "keys ", "archive ", "backup "))),
}

# Words, input, the code of the problem, the exit status.
FAILURES = [
    ("", "", "usage", 2),
    ("simulat", "", "usage", 2),
    ("simulate", "", "usage", 2),
    ("simulate --bogus plan.json", "", "usage", 2),
    ("simulate plan.json --plan plan.json", "", "usage", 2),
    ("simulate - --budget NaN", "[]", "usage", 2),
    ("simulate - --samples 3", json.dumps([STEP]), "usage", 2),
    ("simulate - --input x", "[]", "usage", 2),
    ("simulate - --fail-on everything", "[]", "usage", 2),
    ("simulate nowhere.json", "", "unreadable", 2),
    ("simulate .", "", "unreadable", 2),
    ("simulate -", "[]", "invalid_plan", 2),
    ("plan check -", '[{"skill": "http_cal"}]', "invalid_plan", 2),
    ("plan fmt - --write", "[]", "usage", 2),
    ("skill http_cal", "", "skill_not_found", 2),
    ("skills --catalog nowhere.toml", "", "unreadable", 2),
    ("catalog check -", "[]", "invalid_catalog", 2),
    ("catalog import -", '{"tools": [{}]}', "invalid_catalog", 2),
    ("catalog init no/name", "", "usage", 2),
    ("catalog init x --out nowhere/x.toml", "", "write_failed", 12),
    ("catalog init x --out unknown.json", "", "usage", 2),
    ("init here", "", "file_exists", 2),
    ("query last_step_outcome --ledger none.db", "", "needs_ledger", 5),
    ("runs show --ledger none.db", "", "needs_ledger", 5),
    ("runs show other --ledger ledger.db", "", "run_not_found", 2),
    ("runs list --ledger unknown.json", "", "ledger_foreign", 11),
    ("runs list --status done", "", "usage", 2),
    ("runs watch --ledger none.db", "", "needs_ledger", 5),
    ("runs export --ledger none.db", "", "needs_ledger", 5),
    ("runs import unknown.json --ledger ledger.db", "", "unreadable", 2),
    ("runs import nowhere.jsonl --ledger ledger.db", "", "unreadable", 2),
    ("runs reconcile dead --step s1 --ledger ledger.db", "", "usage", 2),
    ("runs reconcile dead --step s1 --not-committed --result 1 --ledger ledger.db", "", "usage", 2),
    ("runs reconcile dead --step s1 --committed --result NaN --ledger ledger.db", "", "usage", 2),
    ("runs reconcile good --step s1 --committed --item 1 --ledger ledger.db", "", "run_conflict", 9),
    ("runs mark-done dead --step s2 --reason why --ledger ledger.db", "", "usage", 2),
    ("runs mark-done dead --step s1 --reason= --ledger ledger.db", "", "usage", 2),
    ("runs mark-done good --step s1 --reason why --ledger ledger.db", "", "run_conflict", 9),
    ("ledger verify --ledger none.db", "", "needs_ledger", 5),
    ("ledger verify --expect 3 --ledger ledger.db", "", "usage", 2),
    ("query allowed", "", "usage", 2),
    ("mcp --allow-run", "", "usage", 2),
    ("query skills_available_for_goal", "", "usage", 2),
    ("policy check nowhere", "", "unreadable", 2),
    ("policy eval -", "[]", "invalid_plan", 2),
    (f"policy replay {RULES} --ledger none.db", "", "needs_ledger", 5),
    ("explain toclose", "", "unknown_code", 2),
    ("completion tcsh", "", "usage", 2),
    ("help nothing", "", "usage", 2),
]


@pytest.fixture
def folder(tmp_path: Path, recorded: list[Path]) -> Path:
    flags = ("read_only", "idempotent", "destructive", "reversible", "open_world")
    failure = {"code": "ANY", "category": "TRANSIENT", "probability": None}
    skill = {"version": "1", "purpose": "?", "effects": dict.fromkeys(flags, True), "failures": [failure]}
    unknown = {"aos_catalog": "1", "skills": {"nothing-known": skill}}
    (tmp_path / "unknown.json").write_text(json.dumps(unknown))
    (tmp_path / "new").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here/plan.json").write_text("mine")
    for source in recorded:
        shutil.copy(source, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A ledger with a run that ended and one whose process died, and its export."""
    folder = tmp_path_factory.mktemp("recorded")
    with Ledger(folder / "ledger.db") as ledger:
        write_run(ledger, "good")
        ledger.begin(start("dead"))
        ledger.intend(intent(run="dead"))
    (folder / "runs.jsonl").write_text("\n".join(export(folder / "ledger.db")) + "\n")
    return [folder / "ledger.db", folder / "runs.jsonl"]


@pytest.mark.parametrize(("words", "stdin", "schema"), ANSWERS, ids=[words for words, *_ in ANSWERS])
def test_an_answer_keeps_its_schema(words: str, stdin: str, schema: str, folder: Path) -> None:
    done = aos(*words.split(), "--json", stdin=stdin.encode(), cwd=folder)
    assert done.document["schema"] == schema
    assert faults(done.document) == []
    assert_unknowns_are_null(done.document)


@pytest.mark.parametrize(("words", "schema"), STREAMS, ids=[words for words, _ in STREAMS])
def test_a_stream_keeps_its_schema(words: str, schema: str, folder: Path) -> None:
    done = aos(*words.split(), cwd=folder)
    assert (done.status, done.err) == (0, b"")
    lines = [json.loads(line) for line in done.out.splitlines()]
    named = [line for line in lines if "schema" in line]
    assert {line["schema"] for line in named} == {schema}
    assert [fault for line in named for fault in faults(line)] == []
    assert named == (lines if schema == "aos.entry/1" else lines[:1])


@pytest.mark.parametrize(
    ("words", "stdin", "code", "status"), FAILURES, ids=[words for words, *_ in FAILURES]
)
def test_a_failure_is_a_problem_document(
    words: str, stdin: str, code: str, status: int, folder: Path
) -> None:
    done = aos(*words.split(), "--json", stdin=stdin.encode(), cwd=folder)
    assert (done.document["schema"], done.document["code"], done.status) == ("aos.problem/1", code, status)
    assert faults(done.document) == []


def test_every_verdict_keeps_the_schema() -> None:
    """With limits, an approval, an unknown price, a budget that stops runs: every part of the document is there."""
    unpriced = {
        "skill": "llm_invoke",
        "params": {"prompt": "?", "model": "nobody/knows"},
        "on_error": "continue",
    }
    asks = {**STEP, "approval": 3}
    plans = [
        (inline(STEP, asks, name="quick", deadline_ms=1), 3),
        (inline(unpriced, STEP, budget=1), 5),
        (
            inline(
                {"skill": "email_send", "params": {"to": "a@b.c", "subject": "s", "body": "b"}}, budget=0.5
            ),
            3,
        ),
    ]
    for plan, status in plans:
        done = aos("simulate", "--plan", plan, "--json")
        assert faults(done.document) == []
        assert done.status == status
        assert_unknowns_are_null(done.document)


def test_every_schema_is_printed_by_a_command_and_the_other_way_round() -> None:
    printed = {schema for row in COMMANDS.values() for schema in row.schemas}
    told = {schema for tool in ALL for schema in tool.gives}
    assert printed | told | {"aos.problem/1"} == set(SCHEMAS)
    served = {schema for name in SERVED for schema in COMMANDS[name].schemas}
    served |= {"aos.run-event/1", "aos.server-capabilities/1", "aos.policy-decision/1"}
    tried = {schema for *_, schema in [*ANSWERS, *STREAMS]}
    assert tried | told | served | {"aos.problem/1"} == set(SCHEMAS)


def test_every_command_is_tried() -> None:
    tried = [words for words, *_ in [*ANSWERS, *STREAMS]]
    assert {name for name in COMMANDS if not any(words.startswith(name) for words in tried)} == SERVED
