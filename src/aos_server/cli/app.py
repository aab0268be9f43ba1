"""The commands of `aos-server`. Each imports what it needs when it is called."""

import os
from typing import Annotated, Any

from typer import Exit as Left
from typer import Option, Typer, TyperException

from aos.errors import AosError, Exit
from aos_server.cli.answers import Answer, fail, show
from aos_server.cli.backup.commands import backup
from aos_server.cli.groups import group
from aos_server.cli.jobs import jobs
from aos_server.cli.keys.service import service_keys
from aos_server.cli.keys.signing import keys
from aos_server.cli.migrate import migrate
from aos_server.cli.serving.check import check
from aos_server.cli.serving.dev import dev
from aos_server.cli.serving.serve import serve
from aos_server.cli.serving.worker import worker
from aos_server.cli.tenant import tenant

__all__ = ["run"]

_HELP = "The server of aos: requests, approvals and audit over HTTP, on Postgres."


def run(words: list[str]) -> int:
    """Call the command that `words` name, print what it answers, return the exit status."""
    as_json = "--json" in words
    try:
        answer = _app()(
            args=[word for word in words if word != "--json"] or ["--help"],
            standalone_mode=False,
            obj=as_json,  # for commands that answer before they end
        )
        return show(answer, as_json) if isinstance(answer, Answer) else int(answer or 0)
    except AosError as error:
        return fail(error, as_json)
    except TyperException as error:
        detail = error.format_message()
        return fail(AosError("usage", detail, fix="`aos-server --help` shows the usage."), as_json)
    except Left as left:
        return left.exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        if os.environ.get("AOS_DEBUG") == "1":
            raise
        return fail(AosError("internal_error", f"{type(error).__name__}: {error}"), as_json)


def _app() -> Typer:
    app = group(_HELP, add_completion=False)
    app.callback()(_every)
    app.command(epilog="Example:  aos-server dev")(dev)
    app.command(epilog="Example:  aos-server serve --processes 2")(serve)
    app.command(epilog="Example:  aos-server check --process worker --json")(check)
    app.command(epilog="Example:  aos-server migrate")(migrate)
    app.command(epilog="Example:  aos-server worker")(worker)
    app.command(epilog="Example:  aos-server tenant acme --budget 5000 --forbid email_send")(tenant)
    app.add_typer(service_keys, name="key")
    app.add_typer(keys, name="keys")
    app.add_typer(backup, name="backup")
    app.add_typer(jobs, name="jobs")
    return app


def _every(json: Annotated[bool, Option("--json", help="Print one JSON object.")] = False) -> Any:
    """Every command takes --json, before or after its name."""
