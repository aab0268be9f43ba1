"""The protocol: what is asked becomes a call of a tool, in a thread; what it answers becomes a result.

The library does the talking: versions, the handshake, which answer belongs to what, cancellation. See
docs/adr/0057 for why its low-level server is used, with streams of our own.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import aos
from aos.errors import AosError
from aos.mcp import resources
from aos.mcp.messages import failure
from aos.mcp.outputs import output_schema
from aos.mcp.setup import Setup
from aos.mcp.stdio import connected
from aos.mcp.tool import Call, Cancelled, Reply, Tool, checked, listed
from aos.mcp.tools import tools_of
from aos.wire.catalogs.tools import FIGURES
from aos.wire.problems import problem
from aos.wire.shape import no_such

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel.server import Server

__all__ = ["available", "serve"]

_AT_ONCE = 4
"""Calls that are worked on together: one of a large plan takes 100 MB."""
_EVERY_S = 0.1
_INSTRUCTIONS = (
    "aos forecasts plans of skill calls before they run: cost, time, chance of success, a verdict with reasons."
    " Before you act on a plan: list_skills, write it (resource aos://guide), simulate_plan; where it is not feasible"
    " apply the smallest change it offers and simulate again; tell the user verdict and figures. Unknown is not 0."
    " No tool approves anything: people do."
)


def available() -> None:
    """Raise AosError(mcp_missing) where the library is not installed."""
    if find_spec("mcp") is None:
        raise AosError("mcp_missing", "the package mcp, which speaks with agents, is not installed")


def serve(setup: Setup) -> signal.Signals | None:
    """Serve whoever is at the other end of standard input and output until they go; the signal that ended it, if any.

    Calls that are still worked on are then ended, runs in good order. Raises AosError: mcp_missing, and what reading
    aos.toml, catalogs and rules may raise.
    """
    available()
    setup.now()
    return asyncio.run(_serve(setup))


async def _serve(setup: Setup) -> signal.Signals | None:
    import anyio

    ended: list[signal.Signals] = []
    with anyio.CancelScope() as scope:

        def end(number: signal.Signals) -> None:
            ended.append(number)
            scope.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: they end the process as they always do
                asyncio.get_running_loop().add_signal_handler(number, end, number)
        server = _server(setup)
        async with connected() as (arrived, sent):
            await server.run(arrived, sent, server.create_initialization_options())
    return ended[0] if ended else None


def _server(setup: Setup) -> "Server[Any]":
    import mcp_types as types
    from mcp.server.lowlevel.server import Server

    tools = tools_of(setup)
    offered = types.ListToolsResult.model_validate(
        {"tools": [listed(tool, output_schema(tool)) for tool in tools.values()]}
    )
    desk = _Desk(setup, tools)

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return offered

    async def call_tool(
        context: "ServerRequestContext[Any, Any]", asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        told = await desk.call(context, asked.name, asked.arguments or {})
        return types.CallToolResult.model_validate(told)

    async def list_resources(_: Any, __: Any) -> types.ListResourcesResult:
        return types.ListResourcesResult.model_validate({"resources": resources.LISTED})

    async def list_templates(_: Any, __: Any) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": resources.TEMPLATES})

    async def read_resource(_: Any, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        found = await desk.aside(partial(resources.read, setup, str(asked.uri)))
        return types.ReadResourceResult.model_validate({"contents": [found]})

    async def list_prompts(_: Any, __: Any) -> types.ListPromptsResult:
        return types.ListPromptsResult.model_validate({"prompts": [resources.PROMPT]})

    async def get_prompt(_: Any, asked: types.GetPromptRequestParams) -> types.GetPromptResult:
        told = await desk.aside(partial(resources.prompt, asked.name, asked.arguments or {}))
        return types.GetPromptResult.model_validate(told)

    server: Server[Any] = Server(
        "aos",
        version=aos.__version__,
        title="aos",
        description="Forecasts what an agent's plan will cost, how long it will take and whether it will work",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )
    server.extensions = {FIGURES: {"version": "1"}}
    return server


class _Desk:
    """Where calls come in: each is worked on in a thread, a few at once."""

    def __init__(self, setup: Setup, tools: Mapping[str, Tool]) -> None:
        import anyio

        self._setup = setup
        self._tools = tools
        self._seats = anyio.CapacityLimiter(_AT_ONCE)

    async def call(
        self, context: "ServerRequestContext[Any, Any]", name: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The result of a tool call. Raises MCPError for a tool that there is not."""
        import anyio
        from anyio.to_thread import run_sync

        tool = self._tools.get(name)
        if tool is None:
            found = no_such("tool", name, self._tools, code="bad_value", pointer="/name")
            raise _refused(AosError("invalid_arguments", found.detail, findings=[found]))
        call = Call(_teller(context))
        try:
            work = partial(_worked, tool, self._setup, arguments, call)
            return await run_sync(work, abandon_on_cancel=True, limiter=self._seats)
        except anyio.get_cancelled_exc_class():
            call.cancel()
            raise

    async def aside(self, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What is read in a thread. Raises MCPError, with the problem, where it can't be."""
        from anyio.to_thread import run_sync

        try:
            return await run_sync(read, abandon_on_cancel=True)
        except AosError as error:
            raise _refused(error) from None


def _worked(tool: Tool, setup: Setup, arguments: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """Work on a call, whatever comes of it."""
    try:
        return _result(tool.work(setup, checked(tool, arguments), call))
    except AosError as error:
        return failure(error)
    except Cancelled:
        return failure(AosError("interrupted", "the call was cancelled"))  # which nobody will read
    except Exception as error:
        if os.environ.get("AOS_DEBUG") == "1":
            import traceback

            traceback.print_exc(file=sys.stderr)
        return failure(AosError("internal_error", f"{type(error).__name__}: {error}"))


def _result(reply: Reply) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": reply.text}],
        "structuredContent": reply.document,
        "isError": False,
        "resultType": "complete",
    }


def _teller(context: "ServerRequestContext[Any, Any]") -> Callable[[int], None]:
    """Tells the client how far a call has got: at once, and then now and again; nothing where it did not ask."""
    if not (context.meta or {}).get("progress_token"):
        return lambda drawn: None
    from anyio import from_thread

    due = 0.0

    def tell(drawn: int) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + _EVERY_S
        words = f"{drawn:,} runs simulated"
        from_thread.run(context.session.report_progress, float(drawn), None, words)

    return tell


def _refused(error: AosError) -> Exception:
    from mcp.shared.exceptions import MCPError

    return MCPError(code=-32602, message=error.detail, data=problem(error))
