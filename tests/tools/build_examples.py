"""Write what each example is expected to print: `python -m tests.tools.build_examples`.

`examples/plans/NAME/` holds a plan, the `options.txt` it is simulated with (where there are any), and the expected
`expected.json` and `expected.txt` (80 columns, no colour).
"""

from pathlib import Path

from tests.tools.examples import ROOT, options, said, write

FOLDERS = sorted(path.parent for path in (ROOT / "examples" / "plans").glob("*/plan.*"))


def printed(folder: Path, *more: str) -> tuple[int, str]:
    """The exit status and output of `aos simulate` on an example."""
    (plan,) = folder.glob("plan.*")
    return said("simulate", str(plan.relative_to(ROOT)), *options(folder), *more)


if __name__ == "__main__":
    write(printed, FOLDERS)
