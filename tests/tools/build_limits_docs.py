"""What docs/limits.md says of the classes of requests, made from the file that the server goes by.

`python -m tests.tools.build_limits_docs` writes it between the page's markers.
"""

from pathlib import Path

from aos_server.limits.matrix import MATRIX, Row

PAGE = Path(__file__).parents[2] / "docs/limits.md"
START, END = "<!-- matrix -->\n", "<!-- /matrix -->"

_NOT_READY = {"ready_false": "`/readyz` says no"}
_AUTH = {"refuse": "503", "cached": "a valid JWT is enough", **_NOT_READY}
_POSTGRES = {"refuse": "503", **_NOT_READY}


def page() -> str:
    """The page as it has to be."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    after = rest.partition(END)[2]
    lines = [
        "| class | examples | a minute | Redis gone | auth service gone | Postgres gone |",
        "|---|---|---|---|---|---|",
        *(_line(name, row) for name, row in MATRIX.items()),
    ]
    return before + START + "\n".join(lines) + "\n" + END + after


def _line(name: str, row: Row) -> str:
    rate = "not counted" if row.per_minute is None else str(row.per_minute)
    cells = (name, ", ".join(row.examples), rate, _redis(row), _AUTH[row.auth], _POSTGRES[row.postgres])
    return f"| {' | '.join(cells)} |"


def _redis(row: Row) -> str:
    if row.redis == "unused":
        return "no change"
    return f"each process counts, {row.share:.0%} of the rate"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
