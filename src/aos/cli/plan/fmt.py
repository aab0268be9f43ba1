"""`aos plan fmt`."""

from pathlib import Path
from typing import Annotated, Any

from typer import BadParameter, Option

from aos.api.files.sources import load_catalog, load_plan
from aos.cli.answer import Answer
from aos.cli.options import Catalogs, PlanArgument, PlanOption, one_plan
from aos.files.config import find_config
from aos.files.outputs import write_file
from aos.wire.encode import indented
from aos.wire.problems import visible
from aos.wire.results.documents import envelope


def fmt(
    plan: PlanArgument = None,
    plan_option: PlanOption = None,
    write: Annotated[
        bool, Option("--write", help="Write it back to the plan, which has to be a .json file.")
    ] = False,
    catalogs: Catalogs = None,
) -> Answer:
    """The plan in its normal form: an object, an id for each step, `skill` and `params`. It is always JSON."""
    source = one_plan(plan, plan_option)
    if write and not source.endswith(".json"):
        raise BadParameter("the normal form is JSON, and the plan is no .json file", param_hint="--write")
    parsed = load_plan(source, load_catalog(catalogs or (), find_config()))
    if write:
        write_file(Path(source), indented(parsed.document) + "\n", replace=True)
    written = [source] if write else []

    def document() -> dict[str, Any]:
        notes = {"notes": list(parsed.notes), "written": written}
        return {**envelope("aos.plan/1"), "plan": parsed.document, **notes}

    text = f"wrote {visible(source, 200)}" if written else indented(parsed.document)
    return Answer(document, lambda _: text, aside=parsed.notes)
