"""`aos diff`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.files.sources import load_catalog, load_plan
from aos.api.forecast.cases import case
from aos.api.forecast.diff import diff as compare
from aos.cli.answer import Answer, Look
from aos.cli.forecast.options import Confidence, Deadline, MinSuccess, Samples, Seed
from aos.cli.forecast.progress import Progress
from aos.cli.options import Budget, Catalogs, Inputs, first
from aos.cli.values import named_values
from aos.errors import AosError, Exit
from aos.files.config import find_config
from aos.wire.results.differences import comparison

PlanA = Annotated[str, Argument(metavar="A", help="The plan as it was; one of the two may be `-`.")]
PlanB = Annotated[str, Argument(metavar="B", help="The plan as it is to be.")]
CatalogsB = Annotated[
    list[str] | None, Option("--catalog-b", metavar="FILE", help="A catalog for B alone. May be given again.")
]
FailIfWorse = Annotated[bool, Option("--fail-if-worse", help="Exit with 3 if B is worse, beyond noise.")]


def diff(
    a: PlanA,
    b: PlanB,
    budget: Budget = None,
    deadline: Deadline = None,
    confidence: Confidence = None,
    min_success: MinSuccess = None,
    samples: Samples = None,
    seed: Seed = None,
    catalogs: Catalogs = None,
    catalogs_b: CatalogsB = None,
    inputs: Inputs = None,
    fail_if_worse: FailIfWorse = False,
) -> Answer:
    """Compare two plans: what changes from A to B in cost, time, chance and approvals, step by step.

    Both are simulated with the same luck, and what could still be noise is said to be. Steps are matched by
    their ids or by what they call: renaming them changes nothing. With --fail-if-worse the exit status is 3 if
    the verdict, a chance, mean or p95 of cost or time, or the approvals asked for are worse, beyond noise.
    """
    if a == b == "-":
        raise BadParameter("only one of the plans can come from standard input", param_hint="A B")
    config, values = find_config(), named_values(inputs or [])
    asked = config.asked(budget, deadline, confidence, min_success)
    known = load_catalog(catalogs or [], config)
    known_b = load_catalog([*(catalogs or []), *catalogs_b], config) if catalogs_b else known
    cases = []
    for side, source, catalog in (("A", a, known), ("B", b, known_b)):
        with said_of(side):
            parsed = load_plan(source, catalog, values)
        cases.append(case(parsed.plan, catalog, config.settled(asked, parsed.plan), parsed.notes))
    samples, seed = first(samples, otherwise=config.samples), first(seed, otherwise=config.seed)
    with Progress() as progress:
        found = compare(*cases, samples=samples, seed=seed, progress=progress)
    status = Exit.NO if fail_if_worse and found.worse else Exit.YES

    def text(look: Look) -> str:
        from aos.report.forecast import diff as report

        return report.comparison(found, *look)

    return Answer(lambda: comparison(found, status), text, status)


@contextmanager
def said_of(side: str) -> Iterator[None]:
    """Say of what goes wrong with which of the two plans it did."""
    try:
        yield
    except AosError as error:
        detail = f"{side}, {error.detail}"
        raise type(error)(error.code, detail, fix=error.fix, findings=error.findings) from None
