"""Plans as a program has them: paths, text, and what the text would be in Python."""

import json
from pathlib import Path
from typing import Any

import pytest

from aos import load_catalog, load_plan, simulate
from aos.errors import InputError

PLAN: dict[str, Any] = {"aos_plan": "1", "steps": [{"skill": "fs_read", "params": {"path": "a"}}]}


def test_a_plan_is_a_path_json_or_a_value(tmp_path: Path) -> None:
    catalog = load_catalog()
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    sources = [path, str(path), json.dumps(PLAN), PLAN, PLAN["steps"], tuple(PLAN["steps"])]
    read = [load_plan(source, catalog).plan for source in sources]
    assert all(plan == read[0] for plan in read)


@pytest.mark.parametrize(
    "value", [[{"skill": {1, 2}}], [float("nan")], [{"skill": "fs_reed"}], {"steps": 5}, [object()]]
)
def test_a_value_that_is_no_plan_is_refused_like_a_file(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        load_plan(value, load_catalog())
    assert caught.value.code == "invalid_plan"


def test_a_value_that_holds_itself_is_no_plan() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InputError, match="the plan is no JSON"):
        load_plan(endless, load_catalog())


def test_a_plan_needs_the_catalog_that_has_its_skills(tmp_path: Path) -> None:
    more = tmp_path / "more.json"
    effects = dict.fromkeys(("read_only", "idempotent", "destructive", "reversible", "open_world"), True)
    own = {"version": "1", "purpose": "?", "effects": effects}
    more.write_text(json.dumps({"aos_catalog": "1", "skills": {"own": own}}))
    plan = load_plan([{"skill": "own"}], load_catalog([more])).plan
    with pytest.raises(InputError) as caught:
        simulate(plan)
    assert [(finding.pointer, finding.code) for finding in caught.value.findings] == [
        ("/steps/0/skill", "unknown_skill")
    ]
