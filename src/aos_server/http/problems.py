"""Errors as answers: the one place that turns an AosError into HTTP."""

import math
from collections.abc import Mapping

from aos.errors import AosError
from aos.wire.encode import one_line
from aos.wire.problems import problem
from aos_server.http.answers import Answer

__all__ = ["PROBLEM_TYPE", "refusal"]

PROBLEM_TYPE = "application/problem+json"


def refusal(error: AosError, request_id: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The problem document (RFC 9457) of an error; `instance` is the request, as the log names it."""
    document = problem(error)
    document["instance"] = error.instance or f"urn:aos:request:{request_id}"
    told = dict(headers or {})
    if error.retry_after_s is not None:
        told["Retry-After"] = str(math.ceil(error.retry_after_s))
    elif error.row.status == 503:
        told["Retry-After"] = "1"
    return Answer(one_line(document).encode(), error.row.status, told, PROBLEM_TYPE)
