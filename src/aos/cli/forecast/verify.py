"""`aos verify`."""

from typing import Annotated

from typer import Argument, BadParameter, Option

from aos.api.files.sources import load_catalog, load_plan
from aos.api.forecast.ageing import on_day
from aos.api.forecast.verify import load_result
from aos.api.forecast.verify import verify as recompute
from aos.cli.answer import Answer, Look
from aos.cli.options import Catalogs, Inputs, On
from aos.cli.values import named_values, seed_number
from aos.errors import Exit
from aos.files.config import find_config
from aos.wire.results.verifications import verification

Result = Annotated[
    str, Argument(metavar="RESULT", help="What `aos simulate --json` printed; `-` is standard input.")
]
Expected = Annotated[
    str | None, Option("--plan", metavar="PATH|JSON", help="The plan that it should be the result of.")
]
Samples = Annotated[int | None, Option(metavar="N", help="The samples that it should rest on.")]
Seed = Annotated[int | None, Option(parser=seed_number, metavar="N", help="The seed that it should rest on.")]


def verify(
    result: Result,
    plan: Expected = None,
    samples: Samples = None,
    seed: Seed = None,
    catalogs: Catalogs = None,
    inputs: Inputs = None,
    on: On = None,
) -> Answer:
    """Compute a saved result again, from the plan in it and the catalogs of now.

    MATCH, with exit status 0, if every figure comes out as it was saved. DRIFT, with 3, names the input that is
    another one now: the plan (with --plan), the catalog, prices of models, samples, seed, the version of aos;
    or the figures that differ though no input does. A result whose plan is not that of its digest is damaged: 11.
    """
    if inputs and plan is None:
        raise BadParameter("inputs belong to the plan of --plan", param_hint="--input")
    catalog = on_day(load_catalog(catalogs or (), find_config()), on).catalog
    saved = load_result(result)
    expected = load_plan(plan, catalog, named_values(inputs or [])).plan if plan else None
    found = recompute(saved, catalog, plan=expected, samples=samples, seed=seed)
    status = Exit.YES if found.match else Exit.NO

    def text(look: Look) -> str:
        from aos.report.forecast import verification as report

        return report.verification(found, *look)

    return Answer(lambda: verification(found, status), text, status)
