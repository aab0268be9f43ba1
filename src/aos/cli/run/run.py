"""`aos run`."""

from aos.api.files.sources import load_catalog, load_plan
from aos.api.forecast.policies import gate
from aos.api.running.world import run_named
from aos.cli.answer import Answer
from aos.cli.forecast.options import Confidence, Deadline, MinSuccess, Samples, Seed
from aos.cli.options import (
    Budget,
    Catalogs,
    Inputs,
    Ledger,
    PlanArgument,
    PlanOption,
    first,
    one_plan,
    refuse,
)
from aos.cli.policy.options import Agent, SimulatePolicy, Tenant, principal
from aos.cli.run import options as its
from aos.cli.run.carrying import Place, carrier
from aos.cli.run.granted import Approval
from aos.cli.server import Context, Server
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
    force: its.Force = False,
    yes: its.Yes = False,
    resume: its.Resume = None,
    retry: its.Retry = None,
    workspace: its.Workspace = None,
    allow_hosts: its.AllowHosts = None,
    allow_private: its.AllowPrivate = False,
    ledger: Ledger = None,
    approval: its.Approval = None,
    server: Server = None,
    context: Context = None,
    events: its.Events = False,
    as_json: its.AsJson = False,
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
    goes on with a run that pauses, was stopped or was cut off: what is done is not done again. --retry does so with one
    that failed, too: steps that failed for good get another go, with fresh retries, and those that were skipped.

    --approval uses up an approval of a server, exactly as it was given: what has left it is not run, whatever --force
    says. A run pauses before it costs more, or where its rest leaves what was approved.
    """
    before = retry or resume
    refuse(
        (resume is not None and retry is not None, "--retry", "give --resume or --retry, not both"),
        (before is not None and (plan or plan_option or inputs), "--resume", "a run has its plan already"),
    )
    started = before and run_named(before, ledger)  # which makes no ledger, unlike what follows
    config = find_config()
    catalog = load_catalog(catalogs or (), config)
    rules = gate(first(policy, otherwise=config.policy), principal(tenant, agent))
    place = Place(workspace, allow_hosts, allow_private, ledger)
    with carrier(
        place, catalog, rules, config, Approval(approval, server, context), events, as_json
    ) as carry:
        if started is not None:
            return carry.go_on(started, budget, retry=retry is not None)
        parsed = load_plan(one_plan(plan, plan_option), catalog, named_values(inputs or []))
        asked = config.asked(budget, deadline, confidence, min_success)
        limits = config.settled(asked, parsed.plan)
        drawn = first(samples, otherwise=config.samples), first(seed, otherwise=config.seed)
        return carry.begin(parsed, limits, *drawn, force=force, yes=yes)
