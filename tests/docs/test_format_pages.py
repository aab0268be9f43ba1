"""The pages on plans, catalogs and the library: what they show is valid and runs, and they leave no key out."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import aos
from aos.wire.catalogs.read import catalog_schema, parse_catalog
from aos.wire.plans.read import parse_plan, plan_schema
from tests.cli.process import ROOT

PLANS, CATALOGS, PYTHON = (
    (ROOT / f"docs/{name}.md").read_text("utf-8") for name in ("plans", "catalogs", "python")
)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def named(page: str, keys: Any) -> list[str]:
    """The keys that a page does not name."""
    return [
        key for key in keys if not re.search(rf"`{key}`", page) and key not in {"_meta", "inputs", "skill_id"}
    ]


@pytest.mark.parametrize("text", [*blocks(PLANS, "json"), *blocks(PLANS, "yaml")], ids=["short", "long"])
def test_its_plans_are_valid(text: str) -> None:
    read = json.loads if text.startswith("[") else yaml.safe_load
    assert parse_plan(read(text), aos.load_catalog(), name="page").plan.steps


def test_no_key_of_a_plan_is_left_out() -> None:
    kinds = plan_schema()["$defs"]
    for kind in ("plan", "step", "defaults", "retry"):
        assert named(PLANS, kinds[kind]["properties"]) == []


def test_its_catalog_is_valid() -> None:
    (text,) = blocks(CATALOGS, "toml")
    found = parse_catalog(tomllib.loads(text), name="page", base=aos.load_catalog())
    assert found.skills["transcribe"].pool == "gpu"
    assert found.skills["http_call"].failures


def test_no_key_of_a_catalog_is_left_out() -> None:
    schema = catalog_schema()
    assert (
        named(CATALOGS, [key for key in schema["properties"] if key not in {"aos_catalog", "skills"}]) == []
    )
    for kind in ("skill", "failure", "retry"):
        assert named(CATALOGS, schema["$defs"][kind]["properties"]) == []


def test_its_python_runs(tmp_path: Path) -> None:
    code = "\n".join(blocks(PYTHON, "python"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("feasible\n")
    assert "/0/skill unknown_skill http_call\nsucceeded\n" in done.stdout


def test_the_names_it_imports_are_public() -> None:
    imported = {
        name.strip()
        for line in re.findall(r"^from aos import (.+)$", PYTHON, re.M)
        for name in line.split(",")
    }
    assert imported <= {*aos.__all__}
