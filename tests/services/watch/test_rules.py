"""The rules as they are written: valid, each alert tried both ways, none about nothing, each with what to do."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tests.services.processes import program
from tests.services.watch.promql import asked
from tests.services.watch.shipped import (
    ALERTMANAGER,
    PROMETHEUS,
    ROOT,
    RULES,
    RUNBOOK,
    TESTS,
    rules,
    sections,
)

ALERTS = rules("alert")
FIRES = re.compile(r'ALERTS\{alertname="(\w+)",alertstate="firing"\}')


def run(*words: str | Path) -> str:
    done = subprocess.run([program(str(words[0])), *words[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_and_the_rules_are_valid() -> None:
    run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)


def test_the_alerts_fire_when_they_should_and_not_when_not() -> None:
    run("promtool", "test", "rules", *TESTS)


def test_each_alert_is_tried_firing_and_silent() -> None:
    tried = defaultdict[str, set[bool]](set)
    for path in TESTS:
        for case in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            for check in case["promql_expr_test"]:
                (name,) = FIRES.findall(check["expr"])
                tried[name].add(bool(check["exp_samples"]))
    always = {"AosWatchdog": {True}}
    assert tried == {rule.name: {True, False} for rule in ALERTS} | always


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.name)
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_read_on(rule) -> None:
    assert rule.group.startswith("m5-")
    assert rule.written["labels"]["severity"] in ("critical", "warning", "none")
    told = rule.written["annotations"]
    assert told.keys() == {"summary", "description", "runbook_url"}
    assert all(len(text) > 15 for text in told.values())
    page, _, anchor = told["runbook_url"].partition("#")
    assert page == "https://runbooks.example/alerts.md"
    assert anchor == rule.name.lower()
    assert anchor in sections()


def test_every_section_of_the_runbook_is_of_an_alert() -> None:
    assert sections() == {rule.name.lower() for rule in ALERTS}


def test_every_metric_of_an_alert_is_missed_where_it_is_gone() -> None:
    recorded = {rule.name: rule.written["expr"] for rule in rules("record")}

    def metrics(query: str) -> set[str]:
        names = {one.metric for one in asked(query)}
        return {name for name in names if name not in recorded} | {
            metric for name in names if name in recorded for metric in metrics(recorded[name])
        }

    guard = next(rule.written["expr"] for rule in ALERTS if rule.name == "AosMetricMissing")
    about = set().union(
        *(metrics(rule.written["expr"]) for rule in ALERTS if rule.name != "AosMetricMissing")
    )
    written = re.findall(
        r'label_replace\(absent\((?:abs\()?(\w+)\)?(?: >= 0)?\), "metric", "(\w+)", "", ""\)', guard
    )
    assert all(name == told for name, told in written)
    assert {name for name, _ in written} == about - {"up"}


def test_whom_an_alert_reaches_and_what_silences_it() -> None:
    run("amtool", "check-config", ALERTMANAGER)
    for severity, receiver in (("critical", "pager"), ("warning", "tickets")):
        words = (
            "config",
            "routes",
            "test",
            f"--config.file={ALERTMANAGER}",
            "alertname=AosX",
            f"severity={severity}",
        )
        assert run("amtool", *words).strip() == receiver
    text = ALERTMANAGER.read_text("utf-8")
    named = set(re.findall(r"\bAos\w+", text))
    assert {name for name in named if not any(rule.name.startswith(name) for rule in ALERTS)} == set()


def test_the_commands_of_the_runbook_are_there_with_these_options() -> None:
    page = (ROOT / "docs/cli.md").read_text("utf-8")
    known = dict(re.findall(r"^## `(aos [^`]+)`\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK.read_text("utf-8"), re.M | re.S)
    typed = [
        line.strip() for block in blocks for line in block.splitlines() if line.strip().startswith("aos ")
    ]
    assert len(typed) > 10
    for line in typed:
        command = max((head for head in known if f"{line} ".startswith(f"{head} ")), key=len)
        assert set(re.findall(r" (--[a-z-]+)", line)) <= set(re.findall(r"--[a-z-]+", known[command])), line
