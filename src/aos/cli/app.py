"""The tree of commands as typer sees it. A command's module is imported when it is called, not before."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn

from typer import Typer
from typer._click import Context, HelpFormatter
from typer._click.shell_completion import CompletionItem
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException
from typer.main import get_command

from aos.cli.answer import Answer, Stream
from aos.cli.table import COMMANDS, GROUPS, UNSAID, Command
from aos.errors import AosError, Exit

__all__ = ["COMPLETE", "NAME", "build", "call", "context_of", "help_answer"]

NAME = "aos"
COMPLETE = "_AOS_COMPLETE"
"""The variable by which a shell asks for completions."""

_HELP = "What will an agent's plan cost, how long will it take, will it work?"
_FIRST = "\b\nTo begin:\n  aos init\n  aos simulate plan.json\n  aos simulate --help"


class _Known(Exception):
    """The answer is known while words are still parsed: `--help`, `--version`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Group(TyperGroup):
    """Commands by name; only their help lines are known until one is called."""

    def __init__(self, path: str, help: str, lines: Mapping[str, str]) -> None:
        unsaid = f"Without a command: `aos {path} {UNSAID[path]}`." if path in UNSAID else None
        super().__init__(
            name=path or NAME,
            help=help,
            epilog=unsaid if path else _FIRST,
            rich_markup_mode=None,
            add_help_option=False,
        )
        self.params += _help_options()
        self._path = path
        self._lines = lines

    def list_commands(self, ctx: Context) -> list[str]:
        return list(self._lines)

    def get_command(self, ctx: Context, cmd_name: str) -> TyperCommand | TyperGroup | None:
        return build(f"{self._path} {cmd_name}".strip()) if cmd_name in self._lines else None

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        verb = UNSAID.get(self._path)
        if verb and not ctx.resilient_parsing and (not args or _is_option(args[0])):
            args = [verb, *args]
        if not args and not ctx.resilient_parsing:
            raise _Known(help_answer(ctx)._replace(exit=Exit.USAGE))
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Any, list[str]]:
        found = self.get_command(ctx, args[0])
        if found is None and not ctx.resilient_parsing:
            _no_such_command(ctx, args[0], list(self._lines))
        return args[0], found, args[1:]

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """The lines are known: no command is loaded to tell its name."""
        named = [
            CompletionItem(name, help=line)
            for name, line in self._lines.items()
            if name.startswith(incomplete)
        ]
        return named + super(TyperGroup, self).shell_complete(ctx, incomplete)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))


def call(words: list[str]) -> Answer | Stream:
    """Parse `words` (without the program's name) and run the command they name.

    Raises AosError(usage) for words that make no sense, and whatever the command raises.
    """
    root = build("")
    if os.environ.get(COMPLETE):
        _complete(root)
    try:
        with root.make_context(NAME, words) as context:
            answer: Answer | Stream = root.invoke(context)
            return answer
    except _Known as known:
        return known.answer
    except TyperException as error:
        raise _usage(error, words) from None


def build(path: str) -> TyperCommand | TyperGroup:
    """The command or group of that name ("catalog init"; "" is the root)."""
    if path in COMMANDS:
        return _command(path, COMMANDS[path])
    if path:
        rows = {
            name.removeprefix(f"{path} "): row
            for name, row in COMMANDS.items()
            if name.startswith(f"{path} ")
        }
        return Group(path, GROUPS[path], {name: row.help for name, row in rows.items()})
    heads = dict.fromkeys(name.partition(" ")[0] for name in COMMANDS)
    root = Group("", _HELP, {name: GROUPS.get(name) or COMMANDS[name].help for name in heads})
    root.params.insert(0, _eager("--version", _show_version, "Show the version."))
    return root


def context_of(path: list[str]) -> Context:
    """A context in which the command of that path can show its help. Raises AosError(usage)."""
    context = Context(build(""), info_name=NAME)
    for name in path:
        inside = context.command
        found = inside.get_command(context, name) if isinstance(inside, Group) else None
        if found is None:
            _no_such_command(context, name, list(inside._lines) if isinstance(inside, Group) else [])
        context = Context(found, info_name=name, parent=context)
    return context


def help_answer(context: Context) -> Answer:
    """The help of the command that a context belongs to."""

    def document() -> dict[str, Any]:
        from aos.wire.results.documents import envelope

        return {**envelope("aos.help/1"), "command": context.command_path, "text": context.get_help()}

    return Answer(document, lambda _: context.get_help())


def _command(path: str, row: Command) -> TyperCommand | TyperGroup:
    module, _, function = row.target.partition(":")
    app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(path, epilog=f"\b\nExample:\n  {row.example}", add_help_option=False)(
        getattr(import_module(f"aos.cli.{module}"), function)
    )
    command: TyperCommand = get_command(app)  # type: ignore[assignment]
    # Whether --json was given is decided on the bare words: a failure to parse them is to be JSON, too.
    if not any("--json" in parameter.opts for parameter in command.params):
        command.params.append(
            TyperOption(
                param_decls=["--json"], is_flag=True, expose_value=False, help="Print one JSON object."
            )
        )
    command.params += _help_options()
    return command


def _is_option(word: str) -> bool:
    """Whether the word is for a command, not for its group."""
    return word.startswith("-") and word not in ("-h", "--help")


def _help_options() -> list[TyperOption]:
    return [
        _eager("--help", _show_help, "Show this message."),
        _eager("-h", _show_help, "Show this message.", hidden=True),
    ]


def _eager(name: str, callback: Any, help: str, hidden: bool = False) -> TyperOption:
    return TyperOption(
        param_decls=[name],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=callback,
        help=help,
        hidden=hidden,
    )


def _show_help(context: Context, _: object, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        raise _Known(help_answer(context))


def _show_version(context: Context, _: object, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        from aos.cli.about.version import version

        raise _Known(version())


def _no_such_command(context: Context, name: str, known: list[str]) -> NoReturn:
    from aos.wire.shape import no_such

    found = no_such("command", name, known, code="bad_value")
    detail = f"{context.command_path}: {found.detail}"
    fix = f"`{context.command_path} --help` lists the commands."
    raise AosError("usage", detail, fix=fix, findings=[found._replace(detail=detail)])


def _usage(error: TyperException, words: list[str]) -> AosError:
    """Some errors don't know in which command they were made: then the words tell."""
    context: Context | None = getattr(error, "ctx", None)
    named = next((name for n in (2, 1) if (name := " ".join(words[:n])) in COMMANDS), "")
    path = context.command_path if context else f"{NAME} {named}".strip()
    said = " ".join(error.format_message().split())  # some of it comes in lines
    return AosError("usage", f"{path}: {said}", fix=f"`{path} --help` shows the usage.")


def _complete(root: TyperCommand | TyperGroup) -> None:
    """Answer a shell that asks for completions, and end."""
    from typer._completion_classes import completion_init

    completion_init()
    root.main([], prog_name=NAME, complete_var=COMPLETE)
