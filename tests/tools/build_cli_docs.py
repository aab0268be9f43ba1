"""What is written about the commands, made from the commands: docs/cli.md, and commands.json for `aos capabilities`.

`python -m tests.tools.build_cli_docs` writes both.
"""

import json
from pathlib import Path
from typing import Any

from typer._click import Context
from typer.core import TyperArgument, TyperOption

from aos.cli.app import context_of
from aos.cli.table import COMMANDS, EVERY, Command
from aos.errors import Exit
from aos.errors.codes import EXIT_MEANINGS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/cli.md"
TABLE = ROOT / "src/aos/cli/commands.json"

_COLUMNS = 80


def page() -> str:
    """The reference of the command line, in Markdown."""
    rows = "\n".join(f"| {status} | {EXIT_MEANINGS[status]} |" for status in Exit)
    head = f"""\
# The command line

<!-- Made from the commands by `python -m tests.tools.build_cli_docs`; a test checks that it is up to date. -->

Every command takes `--json` and then prints one JSON object on stdout, also on failure; its first keys are `schema` and
`aos_version`. Without it answers go to stdout, failures and notes to stderr. Colours are for terminals, and `NO_COLOR`
switches them off. `AOS_DEBUG=1` adds the traceback to an internal error.

| exit status | meaning |
|---|---|
{rows}

```
{_help(context_of([]))}
```
"""
    return "\n".join([head, *(_section(name, row) for name, row in COMMANDS.items())])


def table() -> str:
    """Every command with its arguments, one line each."""
    lines = ",\n".join(json.dumps(_entry(name, row), ensure_ascii=False) for name, row in COMMANDS.items())
    return f"[\n{lines}\n]\n"


def _section(name: str, row: Command) -> str:
    statuses = ", ".join(str(int(status)) for status in sorted({*EVERY, *row.exits}))
    return f"""\
## `aos {name}`

{row.help if row.help.endswith("?") else f"{row.help}."}

- exit status: {statuses}
- prints with `--json`: {" or ".join(map(_link, row.schemas))}
- changes: {row.writes}
- network: {"yes" if row.network else "no"}

```
{_help(context_of(name.split()))}
```
"""


def _link(schema: str) -> str:
    """To the committed JSON Schema: `aos.skill/1` is `skill-1.schema.json`."""
    return f"[{schema}](schemas/{schema.removeprefix('aos.').replace('/', '-')}.schema.json)"


def _help(context: Context) -> str:
    context.terminal_width = _COLUMNS
    return context.get_help()


def _entry(name: str, row: Command) -> dict[str, Any]:
    params = context_of(name.split()).command.params
    return {
        "name": name,
        "help": row.help,
        "arguments": [_argument(param) for param in params if isinstance(param, TyperArgument)],
        "options": [
            _option(param) for param in params if isinstance(param, TyperOption) and not param.hidden
        ],
        "example": row.example,
        "exit_codes": sorted({int(status) for status in (*EVERY, *row.exits)}),
        "schemas": list(row.schemas),
        "writes": row.writes,
        "network": row.network,
    }


def _argument(param: TyperArgument) -> dict[str, Any]:
    return {
        "name": param.human_readable_name.strip("[]"),
        "required": param.required,
        "repeatable": param.nargs == -1,
        "help": param.help,
    }


def _option(param: TyperOption) -> dict[str, Any]:
    return {
        "names": param.opts,
        "value": None if param.is_flag else param.metavar,
        "repeatable": param.multiple,
        "help": param.help,
    }


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    TABLE.write_text(table(), "utf-8")
