"""`aos simulate --markdown` and `--html FILE`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from aos.cli.answer import Look
from aos.domain.forecasts.results import SimulationResult

AsMarkdown = Annotated[
    bool,
    Option(
        "--markdown",
        help="Print Markdown, for the summary of a CI job: "
        "aos simulate plan.json --markdown >> $GITHUB_STEP_SUMMARY",
    ),
]
HtmlFile = Annotated[
    Path | None,
    Option(
        "--html",
        metavar="FILE",
        help="Also write a page with pictures that needs nothing else: aos simulate plan.json --html forecast.html",
    ),
]


def text(result: SimulationResult, look: Look, as_markdown: bool) -> str:
    """What is printed for people."""
    if as_markdown:
        from aos.report.forecast import markdown

        return markdown.simulation(result)
    from aos.report.forecast import terminal

    return terminal.simulation(result, **look._asdict())


def write_page(result: SimulationResult, file: Path) -> None:
    """Write the page, over what was there. Raises AosError(write_failed)."""
    from aos.files.outputs import write_file
    from aos.report.forecast import html

    write_file(file, html.simulation(result), replace=True)
