"""`aos simulate`."""

from typing import Annotated

from typer import Option

from aos.api.simulate import simulate as forecast
from aos.api.sources import load_catalog, load_plan
from aos.cli.answer import Answer, Look
from aos.cli.forecast.progress import Progress
from aos.cli.forecast.status import FAIL_ON, exit_status, fail_on_words
from aos.cli.options import Budget, Catalogs, Inputs, PlanArgument, PlanOption, first, one_plan
from aos.cli.values import milliseconds, named_values, seed_number, share
from aos.domain.verdicts import Limits
from aos.files.config import find_config
from aos.wire.results import simulation

Deadline = Annotated[
    float | None, Option(parser=milliseconds, metavar="TIME", help="By when: 30s, 5m, or milliseconds.")
]
Confidence = Annotated[
    float | None,
    Option(parser=share, metavar="SHARE", help="How sure the limits are to be kept; 0.9 unless said."),
]
MinSuccess = Annotated[
    float | None, Option(parser=share, metavar="SHARE", help="How likely success is to be; 0.5 unless said.")
]
Samples = Annotated[int | None, Option(metavar="N", help="Runs to simulate at first; 10000 unless said.")]
Seed = Annotated[
    int | None, Option(parser=seed_number, metavar="N", help="Where chance starts; 0 unless said.")
]
FailOn = Annotated[
    frozenset[str] | None,
    Option(parser=fail_on_words, metavar="WHAT", help="Verdicts with an exit status other than 0."),
]


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
) -> Answer:
    """Forecast a plan: what it will cost, how long it will take, whether it will work.

    Nothing is called, read or sent. Limits come from the options, else from the plan, else from aos.toml.
    The exit status is the verdict: 0 feasible, 3 infeasible, 5 undetermined. --fail-on names the verdicts
    that are not 0: `infeasible,undetermined` unless said, also `approval` (8) or `none`.
    """
    config = find_config()
    catalog = load_catalog(catalogs or (), config)
    parsed = load_plan(one_plan(plan, plan_option), catalog, named_values(inputs or []))
    limits = Limits(
        first(budget, parsed.plan.budget_cents, otherwise=config.budget_cents),
        first(deadline, parsed.plan.deadline_ms, otherwise=config.deadline_ms),
        first(confidence, otherwise=config.confidence),
        first(min_success, otherwise=config.min_success),
    )
    with Progress() as progress:
        result = forecast(
            parsed.plan,
            catalog,
            limits,
            samples=first(samples, otherwise=config.samples),
            seed=first(seed, otherwise=config.seed),
            notes=parsed.notes,
            progress=progress,
        )
    status = exit_status(result.verdict, fail_on or FAIL_ON)

    def text(look: Look) -> str:
        from aos.report import terminal

        return terminal.simulation(result, **look._asdict())

    return Answer(lambda: simulation(result, status), text, status)
