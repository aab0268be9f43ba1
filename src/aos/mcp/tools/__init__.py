"""Every tool there is, and which of them a session has."""

from collections.abc import Mapping

from aos.mcp.setup import Setup
from aos.mcp.tool import Tool
from aos.mcp.tools import asking, forecasting, knowing, running

__all__ = ["ALL", "ALWAYS", "tools_of"]

ALWAYS = (*forecasting.TOOLS, *knowing.TOOLS)
ALL = (*ALWAYS, *running.TOOLS, *asking.TOOLS)


def tools_of(setup: Setup) -> Mapping[str, Tool]:
    """By name: to run and to ask for approvals only where whoever started the session allows it."""
    runs = running.TOOLS if setup.runs else ()
    asks = asking.TOOLS if setup.server else ()
    return {tool.name: tool for tool in (*ALWAYS, *runs, *asks)}
