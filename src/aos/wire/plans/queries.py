"""JMESPath queries as `json_transform` takes them: what can be told of one before there is any input.

The library is imported for a query that is more than a path of plain names: its import takes as long as a small
forecast.
"""

import re
from typing import Any

from aos.wire.problems import visible

__all__ = ["MAX_QUERY", "fault", "tree"]

MAX_QUERY = 4_096
"""Characters of a query."""

_PATH = re.compile(r"\.?[A-Za-z_]\w*(?:\[\d{1,9}\]|\.[A-Za-z_]\w*)*", re.ASCII)


def tree(query: str) -> Any:
    """The query parsed by the library; one leading dot is accepted, as in jq.

    Raises ValueError, in a person's words, for what is no query.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError

    plain = query.strip().removeprefix(".") or "@"
    try:
        return jmespath.compile(plain).parsed
    except RecursionError:
        raise ValueError("nested too deep") from None
    except (JMESPathError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        said = " ".join(str(error).split()).removesuffix(" ^")  # the library draws an arrow below the place
        raise ValueError(f"{visible(said, 300)} (queries are JMESPath: https://jmespath.org)") from None


def fault(query: str) -> str | None:
    """What keeps the query from being evaluated, whatever the input; None where nothing does."""
    if len(query) > MAX_QUERY:
        return f"a query of {len(query):,} characters; the limit is {MAX_QUERY:,}"
    if _PATH.fullmatch(query):
        return None
    try:
        unknown = _unknown_function(tree(query))
    except ValueError as error:
        return str(error)
    return f"JMESPath has no function {visible(unknown, 60)!r}" if unknown else None


def _unknown_function(parsed: Any) -> str | None:
    from jmespath.functions import Functions

    left = [parsed]
    while left:
        node = left.pop()
        if node["type"] == "function_expression" and node["value"] not in Functions.FUNCTION_TABLE:
            return str(node["value"])
        left += [child for child in node["children"] if isinstance(child, dict)]
    return None
