"""`aos completion`."""

from enum import StrEnum
from typing import Annotated

from typer import Argument

from aos.cli.answer import Answer
from aos.cli.app import COMPLETE, NAME

_FIRST_TAB = """if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _aos_completion "$@"
else
  compdef _aos_completion aos
fi"""
"""zsh loads what is in its `fpath` at the first Tab: typer's script then only gets ready for the second."""


class Shell(StrEnum):
    """The shells there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"
    powershell = "powershell"


def completion(shell: Annotated[Shell, Argument(help="The shell to complete for.")]) -> Answer:
    """Print the script that completes `aos` in a shell.

    \b
    aos completion bash > ~/.local/share/bash-completion/completions/aos
    aos completion fish > ~/.config/fish/completions/aos.fish
    aos completion zsh > ~/.zfunc/_aos

    For zsh, .zshrc has `fpath+=~/.zfunc; autoload -Uz compinit; compinit`.
    """
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name=NAME, complete_var=COMPLETE, shell=shell.value)
    script = script.replace("compdef _aos_completion aos", _FIRST_TAB)

    def document() -> dict[str, object]:
        from aos.wire.results.documents import envelope

        return {**envelope("aos.completion/1"), "shell": shell.value, "script": script}

    return Answer(document, lambda _: script)
