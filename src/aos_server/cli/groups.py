"""Groups of commands: `-h` is `--help`, and what a command does is said whole."""

from typing import Any

from typer import Typer
from typer._click import Context, HelpFormatter
from typer.core import TyperGroup

__all__ = ["group"]

_WHOLE = 500


class _Group(TyperGroup):
    """click cuts off what does not fit into a line."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        rows = [(name, command.get_short_help_str(_WHOLE)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def group(help: str, **more: Any) -> Typer:
    """A group that has no commands yet."""
    return Typer(
        cls=_Group,
        help=help,
        context_settings={"help_option_names": ["--help", "-h"]},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        **more,
    )
