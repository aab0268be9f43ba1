"""docs/limits.md says what the server does: the matrix it goes by, and every limit."""

import re

from aos.wire.strict import MAX_BYTES
from aos_server.http.bodies import BODY_TIMEOUT_S, MAX_BODY_BYTES, MAX_DECISION_BYTES, MAX_NODES
from aos_server.http.endpoint import REQUEST_TIMEOUT_S
from aos_server.identity.strangers import MAX_STRANGERS
from aos_server.limits import sizes
from aos_server.limits.rates import BURST, REDIS_TIMEOUT_S
from tests.tools.build_limits_docs import PAGE, page


def test_the_matrix_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tests.tools.build_limits_docs`"


def test_every_limit_is_named() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.,]+)", PAGE.read_text("utf-8"), re.MULTILINE)
    named = {name: float(value.replace(",", "")) for name, value in rows}
    limits = {name: float(getattr(sizes, name)) for name in sizes.__all__}
    assert named == {
        **limits,
        "MAX_BYTES": MAX_BYTES,
        "MAX_BODY_BYTES": MAX_BODY_BYTES,
        "MAX_DECISION_BYTES": MAX_DECISION_BYTES,
        "MAX_NODES": MAX_NODES,
        "BODY_TIMEOUT_S": BODY_TIMEOUT_S,
        "REQUEST_TIMEOUT_S": REQUEST_TIMEOUT_S,
        "BURST": BURST,
        "MAX_STRANGERS": MAX_STRANGERS,
        "REDIS_TIMEOUT_S": REDIS_TIMEOUT_S,
    }
