"""What deploy/ ships to watch a server: rules, their tests, and the runbook that they lead to."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy/prometheus"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
DASHBOARDS = ROOT / "deploy/grafana/dashboards"
RUNBOOK = ROOT / "docs/runbooks/alerts.md"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


class Rule(NamedTuple):
    """A rule as it is written: `alert` or `record` is its name."""

    group: str
    written: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.written.get("alert") or self.written["record"])


def rules(kind: str) -> list[Rule]:
    """Those that have this kind of name: `alert` or `record`."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text("utf-8"))["groups"]]
    return [Rule(group["name"], rule) for group in groups for rule in group["rules"] if kind in rule]


def sections() -> set[str]:
    """The anchors of the runbook's headings."""
    return {
        heading.lower() for heading in re.findall(r"^## (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    }
