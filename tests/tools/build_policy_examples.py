"""Write what each example of a policy is expected to print: `python -m tests.tools.build_policy_examples`.

`examples/policies/NAME/` holds rules, the `options.txt` with the plan they are asked about, and the expected
`expected.json` and `expected.txt` (80 columns, no colour). `examples/replays/NAME/` holds the same of `aos policy
replay`, with all of its words in `options.txt`.
"""

from pathlib import Path

from tests.tools.examples import ROOT, options, said, write

FOLDERS = sorted(path.parent for path in (ROOT / "examples/policies").glob("*/options.txt"))
REPLAYS = sorted(path.parent for path in (ROOT / "examples/replays").glob("*/options.txt"))


def printed(folder: Path, *more: str) -> tuple[int, str]:
    """The exit status and output of `aos policy eval` on an example."""
    return said("policy", "eval", *options(folder), "--policy", str(folder.relative_to(ROOT)), *more)


def replayed(folder: Path, *more: str) -> tuple[int, str]:
    """The exit status and output of `aos policy replay` on an example."""
    return said("policy", "replay", *options(folder), *more)


if __name__ == "__main__":
    write(printed, FOLDERS)
    write(replayed, REPLAYS)
