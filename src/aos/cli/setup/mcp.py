"""`aos mcp`."""

import sys

from typer import BadParameter

from aos.cli.again import commands
from aos.cli.answer import Answer, Stream, is_terminal, write
from aos.cli.options import Catalogs, Ledger, first, refuse
from aos.cli.policy.options import Agent, SimulatePolicy
from aos.cli.run.options import AllowHosts, AllowPrivate, Workspace
from aos.cli.server import Context
from aos.cli.setup.mcp_options import AllowRun, PrintConfig, Requests, Together
from aos.errors import Exit
from aos.files.config import find_config
from aos.mcp.clients import CLIENTS, entry
from aos.mcp.setup import Purse, Runs, Setup

_TO_A_PERSON = "An MCP client starts this and speaks with it; --print-config shows how. Ctrl-C ends it."


def mcp(
    allow_run: AllowRun = False,
    budget: Together = None,
    catalogs: Catalogs = None,
    policy: SimulatePolicy = None,
    agent: Agent = None,
    ledger: Ledger = None,
    workspace: Workspace = None,
    allow_hosts: AllowHosts = None,
    allow_private: AllowPrivate = False,
    server: Requests = None,
    context: Context = None,
    print_config: PrintConfig = None,
) -> Answer | Stream:
    """Answer an agent over MCP, on standard input and output: the way it asks before it acts.

    It forecasts, checks and compares plans, and tells of skills and past runs. Nothing is run and nobody is asked
    unless --allow-run or --server says so; --budget, or aos.toml's, is then what all runs of the session may cost
    together. No tool approves or rejects: people do.

    It ends when its input does. --print-config shows what a client needs to start it, with the options given here.
    """
    if print_config is not None:
        return _printed(print_config)
    most = first(budget, find_config().budget_cents, otherwise=None) if allow_run else None
    of_runs = budget is not None or workspace or allow_hosts or allow_private
    refuse(
        (allow_run and most is None, "--allow-run", "say with --budget what all runs may cost together"),
        (not allow_run and of_runs, "--budget, --workspace, --allow-*", "they belong to --allow-run"),
    )
    runs = None if most is None else Runs(Purse(most), workspace, allow_hosts or (), allow_private)
    from aos.mcp.server import serve

    if is_terminal(sys.stdin):
        write(sys.stderr, _TO_A_PERSON)
    ended = serve(Setup(catalogs or (), policy, agent, ledger, runs, server, context, commands()))
    if ended is not None:
        raise KeyboardInterrupt if ended.name == "SIGINT" else SystemExit(int(Exit.TERMINATED))
    return Stream(_ for _ in ())


def _printed(client: str) -> Answer:
    if client not in CLIENTS:
        raise BadParameter(f"expected one of {', '.join(CLIENTS)}", param_hint="--print-config")
    from aos.wire.encode import indented

    found = entry(client, _said())
    return Answer(found.document, lambda _: indented(found.config), aside=(f"for {found.file}",))


def _said() -> list[str]:
    """The options that were given, but for those about printing."""
    words = iter(sys.argv[sys.argv.index("mcp") + 1 :])
    kept = []
    for word in words:
        if word == "--print-config":
            next(words, None)
        elif not word.startswith("--print-config=") and word != "--json":
            kept.append(word)
    return kept
