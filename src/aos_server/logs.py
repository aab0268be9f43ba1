"""Logs, to stderr: a line of JSON for each event where machines read them, plain lines where a person does.

What is logged names a request, its caller and what became of it; never a credential, a body or a path as it was sent.
"""

import json
import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from aos.wire.problems import visible

__all__ = ["configure"]

Event = MutableMapping[str, Any]


def configure(*, plain: bool) -> None:
    """Take over what the standard library's loggers are told: everything of ours, warnings of others."""
    from structlog import processors, stdlib

    extra: list[Any] = [
        stdlib.ExtraAdder(),
        stdlib.add_log_level,
        stdlib.add_logger_name,
        processors.format_exc_info,
    ]
    clock = processors.TimeStamper(fmt="iso", utc=True, key="at")
    renderer: Any = _plain if plain else processors.JSONRenderer(serializer=_line)
    handler = logging.StreamHandler()
    handler.setFormatter(
        stdlib.ProcessorFormatter(
            foreign_pre_chain=[*extra, clock],
            processors=[stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("aos_server").setLevel(logging.INFO)


def _line(event: Mapping[str, Any], **_: Any) -> str:
    """JSON in ASCII, in which every control character is an escape; json leaves DEL as it is."""
    first = {key: event[key] for key in ("at", "level", "event")}
    return json.dumps({**first, **event}, default=str).replace("\x7f", "\\u007f")


def _plain(_: object, __: str, event: Event) -> str:
    told = {key: event.pop(key, "") for key in ("at", "level", "logger", "event", "exception")}
    rest = "".join(f" {key}={value}" for key, value in event.items() if value is not None)
    head = visible(f"{told['at'][11:19]} {told['level']:7} {told['event']}{rest}", 1000)
    return f"{head}\n{told['exception']}" if told["exception"] else head
