"""The tools of another MCP server: a program that is started, asked and ended."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from aos.errors import AosError
from aos.mcp.server import available
from aos.wire.problems import visible

__all__ = ["tools_of_program"]

_PATIENCE_S = 60.0
_MOST_PAGES = 100


def tools_of_program(words: Sequence[str]) -> dict[str, Any]:
    """All that the stdio server `words` answers to tools/list, as one answer; what it says besides goes to stderr.

    It gets no more of the environment than the library passes on (HOME, PATH and the like). Raises AosError:
    mcp_missing; unreadable where it can't be started, dies, or does not answer within a minute.
    """
    available()
    try:
        return asyncio.run(asyncio.wait_for(_listed(words), _PATIENCE_S))
    except TimeoutError:
        why = f"no answer within {_PATIENCE_S:g} s"
    except Exception as error:
        why = _said(error)
    raise AosError(
        "unreadable",
        f"{visible(words[0], 200)}: {visible(why, 400)}",
        fix="Start it by hand, and see what it says.",
    )


async def _listed(words: Sequence[str]) -> dict[str, Any]:
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    program, *more = words
    tools: list[dict[str, Any]] = []
    cursor = None
    async with Client(stdio_client(StdioServerParameters(command=program, args=more), sys.stderr)) as client:
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += [tool.model_dump(by_alias=True, mode="json", exclude_none=True) for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
    return {"tools": tools, **({} if cursor is None else {"nextCursor": cursor})}


def _said(error: BaseException) -> str:
    """The first of what went wrong together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
