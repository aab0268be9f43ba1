"""`aos policy eval`."""

from typer import BadParameter

from aos.api.files.sources import load_catalog, load_plan
from aos.api.forecast.policies import load_policy, policy_verdict
from aos.api.forecast.simulate import simulate
from aos.cli.answer import Answer, Look
from aos.cli.forecast.options import Samples, Seed
from aos.cli.options import Catalogs, Inputs, PlanArgument, PlanOption, first, one_plan
from aos.cli.policy.options import Agent, PolicyPlace, Tenant, principal
from aos.cli.server import Elsewhere, decided
from aos.cli.values import named_values
from aos.files.config import find_config
from aos.wire import policies
from aos.wire.policies import POLICY_EXITS
from aos.wire.results.documents import envelope


def evaluate(
    plan: PlanArgument = None,
    plan_option: PlanOption = None,
    policy: PolicyPlace = None,
    catalogs: Catalogs = None,
    inputs: Inputs = None,
    agent: Agent = None,
    tenant: Tenant = None,
    samples: Samples = None,
    seed: Seed = None,
    server: Elsewhere = None,
) -> Answer:
    """What rules say of a plan: allowed, denied, or allowed after an approval of a level; by which of them, and why.

    The plan is simulated first, since rules look at what it will cost, how long it takes and what may fail. Where one
    fact would change the answer, that is said. The exit status is 0 allowed, 3 denied, 8 after an approval.

    --server asks a server: its active rules, the tenant's permissions and the budget that is left.
    """
    if server is not None:
        if policy or catalogs or samples is not None or seed is not None:
            raise BadParameter("it takes a plan, its inputs, --agent and --tenant", param_hint="--server")
        return decided(server, one_plan(plan, plan_option), named_values(inputs or []), agent, tenant)
    config = find_config()
    rules = load_policy(first(policy, otherwise=config.policy))
    catalog = load_catalog(catalogs or (), config)
    parsed = load_plan(one_plan(plan, plan_option), catalog, named_values(inputs or []))
    result = simulate(
        parsed.plan,
        catalog,
        samples=samples or config.samples,
        seed=first(seed, otherwise=config.seed),
        explain=False,
        alternatives=False,
    )
    said = policy_verdict(rules, result, principal(tenant, agent))
    status = POLICY_EXITS[said.decision]

    def text(look: Look) -> str:
        from aos.report.forecast import policy as report

        return report.verdict(said, *look)

    return Answer(
        lambda: {
            **envelope("aos.policy-evaluation/1"),
            "exit_code": int(status),
            **policies.policy_verdict(said),
        },
        text,
        status,
    )
