"""The public names: a change here is a change for everyone who imports aos."""

import subprocess
import sys

import aos

PUBLIC = {
    "AosError",
    "Catalog",
    "Forecast",
    "InputError",
    "Ledger",
    "Limits",
    "Means",
    "Plan",
    "Principal",
    "Question",
    "RunResult",
    "SimulationResult",
    "Skill",
    "Step",
    "Verdict",
    "ask",
    "gate",
    "load_catalog",
    "load_plan",
    "resume",
    "run",
    "simulate",
}


def test_the_names_are_these() -> None:
    assert set(aos.__all__) == PUBLIC
    assert set(dir(aos)) >= PUBLIC
    for name in PUBLIC:
        assert getattr(aos, name) is not None


def test_importing_aos_loads_nothing_else() -> None:
    code = (
        "import sys, aos; print(sorted(m for m in sys.modules if m.startswith(('aos.', 'numpy', 'typer'))))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_plan_can_be_made_in_python() -> None:
    from aos import Plan, Step, simulate

    result = simulate(Plan((Step("s1", "json_transform", {"query": "a", "input": {"a": 1}}),)), samples=1000)
    assert result.verdict.decision == "feasible"
    assert result.forecast.typical_ms == 10
