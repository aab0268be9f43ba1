"""The text of rules: where each begins and ends, and where one goes wrong.

Cedar's parser stops at the first fault and names no line, and brackets nested deeply enough overflow its stack. So text
is cut into statements first, each is measured, and each is parsed alone.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from aos.policy.cedar import cedar

MAX_NESTING = 32
MAX_OPERATORS = 200
"""Operators of one rule: each may nest what stands before it."""
MAX_STATEMENT = 8 * 1024
"""Characters of one rule."""

# Where text ends inside a string, the string ends there: one pass over it, whatever stands in it.
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*) | "(?:\\.|[^"\\])*+(?:"|\Z) | \w+ | && | \|\| | [=!<>]= | :: | \S""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = frozenset(
    (
        "&&",
        "||",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "!",
        ".",
        "[",
        "if",
        "in",
        "has",
        "like",
        "is",
    )
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


class Statement(NamedTuple):
    """One rule as it was written. `line` and `column` count from 1; `spans` are its tokens, `nesting` the depth
    of its brackets."""

    text: str
    line: int
    column: int
    spans: tuple[tuple[int, int], ...]
    nesting: int
    operators: int


class Fault(NamedTuple):
    """What the parser says is wrong, and where."""

    line: int
    column: int
    message: str


def statements(text: str) -> Iterator[Statement]:
    """Cut at every `;` that stands outside strings and comments; what comes after the last one is one more."""
    tokens = list[tuple[int, int]]()
    deepest = depth = operators = 0
    for match in _TOKEN.finditer(text):
        if match["comment"]:
            continue
        tokens.append(match.span())
        token = match[0]
        depth += (token in _OPEN) - (token in _CLOSE)
        deepest = max(deepest, depth)
        operators += token in _OPERATORS
        if token == ";":
            yield _statement(text, tokens, deepest, operators)
            tokens, deepest, depth, operators = [], 0, 0, 0
    if tokens:
        yield _statement(text, tokens, deepest, operators)


def fault(statement: Statement) -> Fault | None:
    """What is wrong with the statement, None where it parses.

    The place is the first token with which its beginning is wrong and not only unfinished, found by bisection; or the
    token before that one that the parser names, since it may get over the first fault and stumble right after.
    """
    message = _complaint(statement.text)
    if message is None:
        return None
    low, high = 0, len(statement.spans) - 1
    while low < high:
        middle = (low + high) // 2
        so_far = _complaint(statement.text[: statement.spans[middle][1]])
        low, high = (middle + 1, high) if _unfinished(so_far) else (low, middle)
    low = _named(statement, message, low)
    last = low == len(statement.spans) - 1
    if last and not message.startswith(("unexpected", "invalid token")):
        return Fault(statement.line, statement.column, message)
    before = statement.text[: statement.spans[low][0]]
    line = statement.line + before.count("\n")
    column = len(before) - before.rfind("\n") + (statement.column - 1 if "\n" not in before else 0)
    return Fault(line, column, message)


def _named(statement: Statement, message: str, at: int) -> int:
    token = re.fullmatch(r"unexpected token `(.+)`", message, re.DOTALL)
    if token is None:
        return at
    same = (i for i in range(at, -1, -1) if statement.text[slice(*statement.spans[i])] == token[1])
    return next(same, at)


def _statement(text: str, tokens: list[tuple[int, int]], nesting: int, operators: int) -> Statement:
    start, end = tokens[0][0], tokens[-1][1]
    spans = tuple((low - start, high - start) for low, high in tokens)
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return Statement(text[start:end], line, column, spans, nesting, operators)


def _complaint(text: str) -> str | None:
    try:
        cedar().PolicySet.from_str(text)
    except ValueError as error:
        return str(error)
    return None


def _unfinished(complaint: str | None) -> bool:
    return complaint is None or complaint.startswith("unexpected end of input")
