"""Write the dashboards of deploy/grafana anew: python -m tests.tools.build_dashboards."""

from collections.abc import Iterator
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tests.tools.dashboards.approvals import APPROVALS
from tests.tools.dashboards.budget import BUDGET
from tests.tools.dashboards.on_call import ON_CALL
from tests.tools.dashboards.panels import built
from tests.tools.dashboards.policy import POLICY

FOLDER = Path(__file__).parents[2] / "deploy/grafana/dashboards"
BOARDS = (ON_CALL, POLICY, APPROVALS, BUDGET)


def files() -> Iterator[tuple[Path, str]]:
    """Each file and what it is to hold."""
    for board in BOARDS:
        yield (
            FOLDER / f"{board.uid}.json",
            f"{JSONEncoder(sort_keys=True, indent=1).encode(built(board).build())}\n",
        )


if __name__ == "__main__":
    for path, text in files():
        path.write_text(text, "utf-8")
