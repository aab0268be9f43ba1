"""`aos plan schema`."""

from aos.cli.answer import Answer
from aos.wire.encode import indented
from aos.wire.plans.read import plan_schema
from aos.wire.results.documents import envelope


def schema() -> Answer:
    """The JSON Schema of plan files, for editors and for whoever generates plans."""
    document = plan_schema()
    return Answer(
        lambda: {**envelope("aos.plan-schema/1"), "json_schema": document},
        lambda _: indented(document),
    )
