"""`aos simulate`."""

from functools import partial

from aos.api.files.sources import load_catalog, load_plan
from aos.api.forecast.ageing import on_day
from aos.api.forecast.simulate import simulate as forecast
from aos.cli.answer import Answer, Stream
from aos.cli.forecast.options import (
    Alternatives,
    Apply,
    Confidence,
    Deadline,
    FailOn,
    Many,
    MinSuccess,
    Samples,
    Seed,
    Summary,
)
from aos.cli.forecast.pages import AsMarkdown, HtmlFile, text, write_page
from aos.cli.forecast.progress import Progress
from aos.cli.forecast.status import FAIL_ON, exit_status
from aos.cli.options import Budget, Catalogs, Inputs, On, PlanArgument, PlanOption, first, one_plan, refuse
from aos.cli.policy.options import Agent, SimulatePolicy, Tenant, principal
from aos.cli.server import Elsewhere, simulated
from aos.cli.values import named_values
from aos.domain.forecasts.verdicts import Limits
from aos.files.config import find_config
from aos.wire.results.simulations import simulation

_SERVER_TAKES = "it takes a plan, its inputs and limits, samples, seed, agent and tenant"
_MANY_TAKES = "plans and their inputs come from standard input"
_MANY_GIVES = "every answer is a line of JSON, without alternatives"


def simulate(
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
    fail_on: FailOn = None,
    alternatives: Alternatives = None,
    apply: Apply = None,
    markdown: AsMarkdown = False,
    html: HtmlFile = None,
    many: Many = False,
    summary: Summary = False,
    on: On = None,
    policy: SimulatePolicy = None,
    agent: Agent = None,
    tenant: Tenant = None,
    server: Elsewhere = None,
) -> Answer | Stream:
    """Forecast a plan: what it will cost, how long it will take, whether it will work.

    Nothing is called, read or sent. Limits come from the options, else from the plan, else from aos.toml.
    The exit status is the verdict: 0 feasible, 3 infeasible, 5 undetermined. --fail-on names the verdicts
    that are not 0: `infeasible,undetermined` unless said, also `approval` (8) or `none`; `doubt` (5) is a feasible
    plan whose figures are somebody's word or rest on too few records, as the JSON's `evidence` says.

    What is not feasible comes with the changes that would make it so, each simulated. --apply prints the plan with one
    of them, so that `aos simulate PLAN --apply 1 | aos simulate -` shows what it gives.

    --policy, or `policy` in aos.toml, holds the plan against rules: what they deny is infeasible, and the approvals
    they ask for are named. No change is offered that they deny.

    --many takes a plan a line, or {"plan": PLAN, "id", "budget", "deadline_ms", "seed"}. A line that is wrong is
    answered with what is wrong. The exit status is the lowest that a line has, 0 only if all have it.
    """
    config = find_config()
    there, changed = server is not None, apply is not None
    policy = policy if there else first(policy, otherwise=config.policy)
    asks_rules = agent is not None or tenant is not None
    here_only = catalogs or many or markdown or html or changed or on is not None
    refuse(
        (there and policy is not None, "--policy", "a server has rules of its own"),
        (there and here_only, "--server", _SERVER_TAKES),
        (asks_rules and not there and policy is None, "--agent, --tenant", "only rules look at who asks"),
        (changed and (markdown or html), "--apply", "it prints a plan, no forecast"),
        (summary and not many, "--summary", "it leaves single steps out of the lines of --many"),
        (many and (plan or plan_option or inputs or changed), "--many", _MANY_TAKES),
        (many and (markdown or html or alternatives), "--many", _MANY_GIVES),
    )
    asked = config.asked(budget, deadline, confidence, min_success)
    samples, seed = first(samples, otherwise=config.samples), first(seed, otherwise=config.seed)
    fail_on = first(fail_on, otherwise=FAIL_ON)
    refuse((many and "doubt" in fail_on, "--fail-on", "with --many nothing looks for evidence"))
    if server is not None:
        source, given = one_plan(plan, plan_option), named_values(inputs or [])
        who = {"agent": agent, "tenant": tenant}
        return simulated(server, source, given, asked, fail_on=fail_on, samples=samples, seed=seed, **who)
    aged = on_day(load_catalog(catalogs or (), config), on)
    rules = None
    if policy is not None:
        from aos.api.forecast.policies import gate

        rules = gate(policy, principal(tenant, agent))
    judged = partial(exit_status, fail_on=fail_on)
    if many:
        from aos.cli.forecast.many import Terms, plans_of_stdin

        last = Limits(config.budget_cents, config.deadline_ms)
        return plans_of_stdin(Terms(aged.catalog, judged, asked, last, samples, seed, summary, rules))
    parsed = load_plan(one_plan(plan, plan_option), aged.catalog, named_values(inputs or []))
    with Progress() as progress:
        result = forecast(
            parsed.plan,
            aged.catalog,
            config.settled(asked, parsed.plan),
            samples=samples,
            seed=seed,
            explain=not changed,
            alternatives=True if changed else alternatives,
            notes=(*parsed.notes, *aged.notes(parsed.plan)),
            gate=rules,
            progress=progress,
        )
    if apply is not None:
        from aos.cli.forecast.apply import changed_plan

        return changed_plan(result, apply, parsed.document)
    if html is not None:
        write_page(result, html)
    status = judged(result.verdict, evidence=result.evidence)
    return Answer(
        lambda: simulation(result, status), lambda look: text(result, look, as_markdown=markdown), status
    )
