"""JSON Patch, as far as alternatives use it."""

import copy
from typing import Any

from aos.domain.forecasts.alternatives import Operation


def patched(document: Any, operations: tuple[Operation, ...]) -> Any:
    """RFC 6902, as far as it is used: add, replace and remove."""
    document = copy.deepcopy(document)
    for operation in operations:
        *path, last = (token.replace("~1", "/").replace("~0", "~") for token in operation.path.split("/")[1:])
        place = document
        for token in path:
            place = place[int(token)] if isinstance(place, list) else place[token]
        key = int(last) if isinstance(place, list) else last
        if operation.op == "add":
            assert isinstance(place, dict)
            assert key not in place
            place[key] = operation.value
        elif operation.op == "replace":
            assert place[key] != operation.value
            place[key] = operation.value
        else:
            del place[key]
    return document
