"""What a line of `aos simulate --many` asks: a plan, or a plan and what is special about it."""

from decimal import Decimal
from typing import NamedTuple

from aos.domain.skills.skill import Catalog
from aos.errors import InputError
from aos.wire.plans.read import ParsedPlan, parse_plan
from aos.wire.shape import Reader, at
from aos.wire.strict import MAX_BYTES, MAX_INTEGER, Json, parse

__all__ = ["Request", "parse_request"]


class Request(NamedTuple):
    """A line: its plan as a document, and what the line says besides; None where it is silent.

    `id` is the caller's own and comes back with the answer. `wrapped`: the plan stands under the key `plan`.
    """

    plan: Json
    wrapped: bool = False
    id: str | None = None
    budget_cents: Decimal | None = None
    deadline_ms: float | None = None
    seed: int | None = None

    def parsed(self, catalog: Catalog, *, name: str) -> ParsedPlan:
        """The plan, read. Raises InputError(invalid_plan) with pointers into the line."""
        try:
            return parse_plan(self.plan, catalog, name=name)
        except InputError as error:
            if self.wrapped:
                findings = [f._replace(pointer=at("", "plan") + f.pointer) for f in error.findings]
                raise InputError(error.code, error.detail, findings=findings) from None
            raise


def parse_request(line: bytes, *, name: str) -> Request:
    """Read a line: a plan as in a file, or `{"plan": PLAN, "id", "budget", "deadline_ms", "seed"}`.

    `name` is what people call the line. Raises InputError(invalid_plan) with everything wrong around the plan.
    """
    document = parse(line, "json", name=name, max_bytes=MAX_BYTES, code="invalid_plan")
    if not isinstance(document, dict) or "plan" not in document:
        return Request(document)
    reader = Reader()
    fields = reader.obj(document, "", known=("plan", "id", "budget", "deadline_ms", "seed"))
    request = Request(
        plan=document["plan"],
        wrapped=True,
        id=reader.text(fields["id"], "/id", None),
        budget_cents=reader.money(fields["budget"], "/budget", None),
        deadline_ms=reader.positive(fields["deadline_ms"], "/deadline_ms"),
        seed=reader.integer(fields["seed"], "/seed", None, low=0, high=MAX_INTEGER),
    )
    reader.raise_if_any("invalid_plan", name)
    return request
