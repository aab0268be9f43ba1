"""Every command: where its function is, its line in the help, an example, and what scripts may rely on.

Only the command that is called is imported. `exits` are the statuses a command can have besides those of
every command (`EVERY`); `writes` says what it changes on the machine. Only those of `network`, and what
is given --server, open a socket.
"""

from collections.abc import Mapping
from typing import NamedTuple

from aos.errors import Exit

EVERY = (
    *(Exit.YES, Exit.INTERNAL, Exit.USAGE, Exit.WRITE_FAILED),
    *(Exit.INTERRUPTED, Exit.TERMINATED),
)


_ID = "0b44a8bd-8e6a-4c4e-9b9b-0f6a3b6ad1c1"
_TOKEN = "a renewed token, where the old one ends"


class Command(NamedTuple):
    """One row. `target` is `module:function` below `aos.cli`; `schemas` are the documents that --json can print."""

    target: str
    help: str
    example: str
    schemas: tuple[str, ...]
    exits: tuple[Exit, ...] = ()
    writes: str = "nothing"
    network: bool = False


GROUPS: Mapping[str, str] = {
    "runs": "Recorded runs: list, show, watch, move, reconcile",
    "ledger": "Whether the record of runs is sound",
    "audit": "The audit log of a server: list, show, verify",
    "requests": "Approval requests at a server: list, make, show, escalate, cancel",
    "plan": "Check, format and describe plan files",
    "policy": "What rules say of a plan, whether they are sound; versions of them on a server",
    "catalog": "Draft, check and show skill catalogs",
}

COMMANDS: Mapping[str, Command] = {
    "init": Command(
        "setup.init:init",
        "Write a commented aos.toml and a first plan",
        "aos init",
        ("aos.files/1",),
        writes="aos.toml and plan.json in the folder named",
    ),
    "simulate": Command(
        "forecast.simulate:simulate",
        "Forecast a plan: cost, time, chance, and a verdict",
        "aos simulate plan.json --budget 100 --deadline 30s",
        ("aos.simulation/1", "aos.simulation-summary/1", "aos.plan/1"),
        (Exit.NO, Exit.FORBIDDEN, Exit.UNDETERMINED, Exit.TRANSIENT, Exit.PENDING),
    ),
    "run": Command(
        "run.run:run",
        "Run a plan: simulate it, then carry it out, every attempt on record",
        "aos run plan.json --budget 100",
        ("aos.run/1", "aos.run-event/1"),
        (
            *(Exit.NO, Exit.FORBIDDEN, Exit.UNDETERMINED, Exit.TRANSIENT, Exit.STEPS_FAILED, Exit.PENDING),
            *(Exit.CONFLICT, Exit.UNKNOWN_EFFECT, Exit.DAMAGED),
        ),
        writes="the ledger; and whatever the plan's steps do",
        network=True,
    ),
    "diff": Command(
        "forecast.diff:diff",
        "Compare two plans: what changes, and what of it is more than noise",
        "aos diff old.json new.json --fail-if-worse",
        ("aos.diff/1",),
        (Exit.NO,),
    ),
    "verify": Command(
        "forecast.verify:verify",
        "Compute a saved result again: does it still come out?",
        "aos verify result.json",
        ("aos.verification/1",),
        (Exit.NO, Exit.DAMAGED),
    ),
    "calibrate": Command(
        "forecast.calibrate:calibrate",
        "Learn a catalog from recorded runs",
        "aos calibrate runs.csv --by region --out catalog.toml",
        ("aos.calibration/1",),
        writes="the file named by --out",
    ),
    "backtest": Command(
        "forecast.backtest:backtest",
        "Score forecasts on recorded runs that came later",
        "aos backtest runs.csv --auto --min-coverage 0.85",
        ("aos.backtest/1",),
        (Exit.NO,),
    ),
    "runs list": Command(
        "ledger.list_runs:list_runs",
        "List the latest runs: how they ended, what they took and cost",
        "aos runs list --status failed",
        ("aos.runs/1",),
        (Exit.DAMAGED,),
    ),
    "runs show": Command(
        "ledger.show:show",
        "Show one run: attempts, costs, the forecast beside what happened",
        "aos runs show",
        ("aos.recorded-run/1",),
        (Exit.UNDETERMINED, Exit.DAMAGED),
    ),
    "runs watch": Command(
        "ledger.watch:watch",
        "Follow a run until it ends, a line of JSON for each entry",
        "aos runs watch",
        ("aos.entry/1",),
        (Exit.UNDETERMINED, Exit.DAMAGED),
    ),
    "runs export": Command(
        "ledger.transfer:export",
        "Print recorded runs as lines of JSON that can be checked",
        "aos runs export",
        ("aos.ledger-export/1",),
        (Exit.UNDETERMINED, Exit.DAMAGED),
    ),
    "runs import": Command(
        "ledger.transfer:import_runs",
        "Take exported runs into the ledger, all or none",
        "aos runs import runs.jsonl",
        ("aos.ledger-import/1",),
        (Exit.TRANSIENT, Exit.CONFLICT, Exit.DAMAGED),
        writes="the ledger",
    ),
    "runs push": Command(
        "ledger.push:push",
        "Upload records of runs to a server: what was tried, how it ended, what it cost",
        "aos runs push --agent billing-bot",
        ("aos.runs-push/1",),
        (Exit.FORBIDDEN, Exit.UNDETERMINED, Exit.TRANSIENT, Exit.CONFLICT, Exit.DAMAGED),
        network=True,
    ),
    "runs reconcile": Command(
        "ledger.reconcile:reconcile",
        "Say whether an attempt took effect that nobody saw the end of",
        "aos runs reconcile 20261126-101500 --step send --committed",
        ("aos.reconciliation/1",),
        (Exit.UNDETERMINED, Exit.TRANSIENT, Exit.CONFLICT, Exit.DAMAGED),
        writes="the ledger",
    ),
    "ledger verify": Command(
        "ledger.verify:verify",
        "Check the ledger: nothing changed, taken out, put in or moved",
        "aos ledger verify",
        ("aos.ledger-check/1",),
        (Exit.UNDETERMINED, Exit.DAMAGED),
    ),
    "capabilities": Command(
        "catalog.capabilities:capabilities",
        "Everything that can be done here: skills, commands, codes, limits",
        "aos capabilities --json",
        ("aos.capabilities/1", "aos.server-capabilities/1"),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
    ),
    "skills": Command(
        "catalog.skills:skills",
        "List the skills with costs, latencies and rate limits",
        "aos skills",
        ("aos.skills/1",),
    ),
    "skill": Command(
        "catalog.skill:skill",
        "Show one skill: parameters, costs, failure modes, where each figure is from",
        "aos skill http_call",
        ("aos.skill/1",),
    ),
    "catalog init": Command(
        "catalog.init:init",
        "Print a commented descriptor to fill in",
        "aos catalog init translate --out translate.toml",
        ("aos.draft/1",),
        writes="the file named by --out",
    ),
    "catalog import": Command(
        "catalog.import_tools:import_tools",
        "Draft a catalog from the tools/list of an MCP server",
        "aos catalog import tools.json --out tools.toml",
        ("aos.draft/1",),
        writes="the file named by --out",
    ),
    "catalog show": Command(
        "catalog.show:show",
        "Print the catalog that holds here, every figure with its provenance",
        "aos catalog show",
        ("aos.catalog/1",),
    ),
    "catalog check": Command(
        "catalog.check:check",
        "Everything that is wrong with a catalog, at once",
        "aos catalog check translate.toml",
        ("aos.catalog-check/1",),
    ),
    "plan check": Command(
        "plan.check:check",
        "Everything that is wrong with a plan, at once",
        "aos plan check plan.json",
        ("aos.plan-check/1",),
    ),
    "plan fmt": Command(
        "plan.fmt:fmt",
        "Print a plan in its normal form",
        "aos plan fmt plan.json",
        ("aos.plan/1",),
        writes="the plan itself, with --write",
    ),
    "plan schema": Command(
        "plan.schema:schema",
        "Print the JSON Schema of plan files",
        "aos plan schema",
        ("aos.plan-schema/1",),
    ),
    "policy check": Command(
        "policy.check:check",
        "Everything that is wrong with rules, at once",
        "aos policy check policies",
        ("aos.policy-check/1",),
    ),
    "policy eval": Command(
        "policy.eval:evaluate",
        "What rules say of a plan: allowed, denied, or after an approval; and why",
        "aos policy eval plan.json --policy policies",
        ("aos.policy-evaluation/1", "aos.policy-decision/1"),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.PENDING),
        writes="a renewed token, where the old one ends",
    ),
    "policy push": Command(
        "policy.push:push",
        "Keep rules on a server, as the next version",
        'aos policy push policies --message "mail needs a lead"',
        ("aos.policy-receipt/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="a version of the rules on the server; a renewed token, where the old one ends",
        network=True,
    ),
    "policy list": Command(
        "policy.list_versions:list_versions",
        "Versions of the rules on a server, and which is active",
        "aos policy list",
        ("aos.policy-versions/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="a renewed token, where the old one ends",
        network=True,
    ),
    "policy show": Command(
        "policy.show:show",
        "Show a version of the rules, or the one that is active",
        "aos policy show 3",
        ("aos.policy-version/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="a renewed token, where the old one ends",
        network=True,
    ),
    "policy diff": Command(
        "policy.diff:diff",
        "How rules differ: a folder from what is active, or one version from another",
        "aos policy diff policies",
        ("aos.policy-diff/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="a renewed token, where the old one ends",
        network=True,
    ),
    "policy activate": Command(
        "policy.activate:activate",
        "Let a version of the rules hold from now on",
        'aos policy activate 3 --why "reviewed by two leads"',
        ("aos.policy-activation/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT),
        writes="which rules are active on the server; a renewed token, where the old one ends",
        network=True,
    ),
    "login": Command(
        "setup.login:login",
        "Log in to a server, with a browser or with a token",
        "aos login --server https://aos.example",
        ("aos.login/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="config.toml of the user, and a token in the keyring or a file of mode 0600",
        network=True,
    ),
    "logout": Command(
        "setup.logout:logout",
        "Forget a login",
        "aos logout",
        ("aos.logout/1",),
        writes="removes the token",
        network=True,
    ),
    "whoami": Command(
        "setup.whoami:whoami",
        "Show who the server takes you for, and what you may do",
        "aos whoami",
        ("aos.whoami/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes=_TOKEN,
        network=True,
    ),
    "health": Command(
        "setup.health:health",
        "Ask a server whether it is well",
        "aos health --server http://127.0.0.1:8000",
        ("aos.health/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT),
        writes=_TOKEN,
        network=True,
    ),
    "audit list": Command(
        "audit.list_entries:list_entries",
        "What was done on a server in your tenant, the latest first",
        "aos audit list --object run-17",
        ("aos.audit-list/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes=_TOKEN,
        network=True,
    ),
    "audit show": Command(
        "audit.show:show",
        "Show one entry of the audit log, and whether it is proved",
        "aos audit show 0b44a8bd-8e6a-4c4e-9b9b-0f6a3b6ad1c1",
        ("aos.audit-entry/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.PENDING, Exit.DAMAGED),
        writes=_TOKEN,
        network=True,
    ),
    "audit verify": Command(
        "audit.verify:verify",
        "Check the audit log: nothing changed, taken out, put in or moved",
        "aos audit verify",
        ("aos.audit-check/1",),
        (Exit.FORBIDDEN, Exit.UNDETERMINED, Exit.TRANSIENT, Exit.DAMAGED),
        writes=_TOKEN,
        network=True,
    ),
    "requests list": Command(
        "requests.list_requests:list_requests",
        "Approval requests of your tenant: all, yours, or those that wait for you",
        "aos requests list --waiting",
        ("aos.requests/1", "aos.request-line/1"),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes=_TOKEN,
        network=True,
    ),
    "requests create": Command(
        "requests.create:create",
        "Ask for an approval to run a plan",
        'aos requests create plan.json --why "prices for the weekly report"',
        ("aos.approval-request/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.PENDING, Exit.CONFLICT, Exit.TIMED_OUT),
        writes=_TOKEN,
        network=True,
    ),
    "requests show": Command(
        "requests.show:show",
        "Show a request: who asks, why, what exactly, what it will cost and do",
        f"aos requests show {_ID} --wait --timeout 2h",
        ("aos.approval-request/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.PENDING, Exit.TIMED_OUT),
        writes=_TOKEN,
        network=True,
    ),
    "requests cancel": Command(
        "requests.change:cancel",
        "Take back a request that you made",
        f"aos requests cancel {_ID}",
        ("aos.decisions/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT),
        writes=_TOKEN,
        network=True,
    ),
    "requests escalate": Command(
        "requests.change:escalate",
        "Have people of one level higher decide on a request",
        f"aos requests escalate {_ID}",
        ("aos.decisions/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT),
        writes=_TOKEN,
        network=True,
    ),
    "requests waits": Command(
        "requests.waits:waits",
        "Learn how long people take to decide, as a catalog for forecasts",
        "aos requests waits --out waits.json",
        ("aos.approval-waits/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="the file named by --out",
        network=True,
    ),
    "approve": Command(
        "requests.decide:approve",
        "Approve requests, each shown first: what it is, what it will cost and do",
        f"aos approve {_ID}",
        ("aos.decisions/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT),
        writes=_TOKEN,
        network=True,
    ),
    "reject": Command(
        "requests.decide:reject",
        "Reject requests, with a reason",
        f'aos reject {_ID} --why "too dear"',
        ("aos.decisions/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT),
        writes=_TOKEN,
        network=True,
    ),
    "query": Command(
        "about.query:query",
        "Answer one question about skills, budget or past runs",
        'aos query skills_available_for_goal --goal "send a webhook"',
        ("aos.query/1",),
        (Exit.FORBIDDEN, Exit.UNDETERMINED, Exit.TRANSIENT),
    ),
    "explain": Command(
        "about.explain:explain",
        "What a reason or error code means and what to do about it",
        "aos explain too_close",
        ("aos.explain/1", "aos.codes/1"),
    ),
    "completion": Command(
        "setup.completion:completion",
        "Print the completion script of a shell",
        "aos completion bash",
        ("aos.completion/1",),
    ),
    "help": Command(
        "about.help:help",
        "Show the help of a command, or the table of exit codes",
        "aos help exit-codes",
        ("aos.help/1", "aos.exit-codes/1"),
    ),
    "version": Command(
        "about.version:version",
        "Show the version",
        "aos version",
        ("aos.version/1",),
    ),
}
