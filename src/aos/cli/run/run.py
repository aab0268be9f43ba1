"""`aos run`."""

import sys
from pathlib import Path

from typer import BadParameter

from aos.api.policies import gate
from aos.api.run import Means, irreversible
from aos.api.run import resume as resume_run
from aos.api.run import run as run_plan
from aos.api.sources import load_catalog, load_plan
from aos.api.world import opened, run_named
from aos.cli.answer import Answer
from aos.cli.forecast.options import Confidence, Deadline, MinSuccess, Samples, Seed, asked_for, settled
from aos.cli.options import Budget, Catalogs, Inputs, Ledger, PlanArgument, PlanOption, first, one_plan
from aos.cli.policy.options import Agent, SimulatePolicy, Tenant, principal
from aos.cli.run.granted import granted, granted_again
from aos.cli.run.options import (
    AllowHosts,
    AllowPrivate,
    Approval,
    AsJson,
    Events,
    Force,
    Resume,
    Workspace,
    Yes,
)
from aos.cli.run.people import Person
from aos.cli.run.shown import answer, watcher
from aos.cli.server import Server
from aos.cli.values import named_values
from aos.files.config import find_config


def run(
    plan: PlanArgument = None,
    plan_option: PlanOption = None,
    budget: Budget = None,
    deadline: Deadline = None,
    confidence: Confidence = None,
    min_success: MinSuccess = None,
    samples: Samples = None,
    seed: Seed = None,
    catalogs: Catalogs = None,
    inputs: Inputs = None,
    force: Force = False,
    yes: Yes = False,
    resume: Resume = None,
    workspace: Workspace = None,
    allow_hosts: AllowHosts = None,
    allow_private: AllowPrivate = False,
    ledger: Ledger = None,
    approval: Approval = None,
    server: Server = None,
    events: Events = False,
    as_json: AsJson = False,
    policy: SimulatePolicy = None,
    agent: Agent = None,
    tenant: Tenant = None,
) -> Answer:
    """Run a plan: simulate it, then carry it out by the rules of its forecast, with every attempt on record.

    A plan that is not feasible is not run: the exit status is then that of `aos simulate`, 3 or 5; --force runs it
    all the same. A run that ends with failed steps has 7, one that pauses (for money, for a go-ahead) 8; where nobody
    knows whether something took effect it is 10.

    What the rules of --policy, or of `policy` in aos.toml, deny is not run (3), nor what they want approved first (8);
    --force changes nothing about that. A run that is resumed is held against them anew.

    At a terminal it asks before steps that can't be undone, and for the go-ahead of steps with `approval`. --resume
    goes on with a run that pauses, was stopped or was cut off: what is done is not done again.

    --approval uses up an approval of a server, exactly as it was given: what has left it is not run, whatever --force
    says, and a run pauses before it costs more.
    """
    config = find_config()
    catalog = load_catalog(catalogs or (), config)
    person = Person(present=not (as_json or events) and sys.stdin.isatty() and sys.stderr.isatty())
    rules = gate(first(policy, otherwise=config.policy), principal(tenant, agent))
    with opened(workspace or Path(), allow_hosts or (), allow_private, ledger, config.run) as (world, record):
        watch = watcher(events, as_json)
        means = Means(world, record, confirm=person.confirm, observe=watch, stoppable=person.stoppable)
        if resume is not None:
            if plan or plan_option or inputs:
                raise BadParameter("a run that is resumed has its plan already", param_hint="--resume")
            name = run_named(resume, ledger)
            with granted_again(approval, server, record, name) as grant:
                again = rules if rules.place is not None else None  # simulates once more
                found = resume_run(name, catalog, means, budget_cents=budget, gate=again, grant=grant)
                return answer(found, person)
        parsed = load_plan(one_plan(plan, plan_option), catalog, named_values(inputs or []))

        asked = asked_for(budget, deadline, confidence, min_success, config)
        with granted(approval, server) as grant:
            result = run_plan(
                *(parsed.plan, catalog, settled(asked, parsed.plan, config), means),
                force=force,
                samples=first(samples, otherwise=config.samples),
                seed=first(seed, otherwise=config.seed),
                notes=parsed.notes,
                gate=rules,
                ready=lambda _: None if yes or grant else person.agree(irreversible(parsed.plan, catalog)),
                grant=grant,
            )
        return answer(result, person)
