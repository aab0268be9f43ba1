"""A failure for people: what went wrong, everything that is wrong with an input, and what to do about it."""

from collections.abc import Iterator

from aos.errors import AosError, Finding
from aos.report.parts.page import BAD, FAINT, STRONG, Line, Page
from aos.wire.shape import did_you_mean

MAX_FINDINGS = 20
"""More than this nobody mends in one go; `--json` lists up to a hundred."""


def problem(error: AosError, width: int, colour: bool, ascii: bool = False) -> str:
    """The problem as text for stderr: title, detail, up to 20 findings with their pointers, the fix."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([("error", f"bold {BAD}"), (f": {error.row.title}", STRONG), (f"  {error.code}", FAINT)])
    page.add(error.detail)
    rows = [row for finding in error.findings[:MAX_FINDINGS] for row in _finding(finding, error.detail)]
    if rows:
        page.add()
        page.add(page.table("pw", rows))
    if len(error.findings) > MAX_FINDINGS:
        page.add((f"… and {len(error.findings) - MAX_FINDINGS:,} more", FAINT))
    if error.fix:
        page.add()
        page.add(page.table("lw", [[("→", STRONG), error.fix]]))
    return str(page)


def _finding(finding: Finding, told: str) -> Iterator[list[Line]]:
    """A single finding has lent its words to the detail; they are not said twice."""
    words = "" if told.endswith(finding.detail) else finding.detail
    if "did you mean" not in finding.detail:
        words = (words + did_you_mean(finding.suggestion)).removeprefix("; ")
    place = finding.pointer or ("the whole" if words else "")
    if place or words:
        yield [(place, STRONG), words]
