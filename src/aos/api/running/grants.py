"""Grants: an approval that a run uses up, exactly as it was given."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from aos.api.server.approvals import check, look
from aos.domain.approvals.envelopes import Envelope
from aos.domain.approvals.requests import OPEN
from aos.domain.forecasts.results import SimulationResult
from aos.domain.plans.plan import Plan
from aos.domain.plans.rest import bounds
from aos.domain.skills.skill import Catalog
from aos.errors import AosError
from aos.sdk.client import Client
from aos.wire.plans.read import dump_plan

__all__ = ["Grant", "grant_of"]

_ROUNDED = Decimal("1.00001")
"""Figures of an envelope have 6 digits."""


class Grant(NamedTuple):
    """An approval at the server that `client` asks. `plan` is the approved one, as a document."""

    client: Client
    server: str
    request: str
    digest: str
    level: int
    plan: Any
    envelope: Envelope | None

    def check(self, plan: Plan, catalog: Catalog, now: SimulationResult) -> None:
        """Raise AosError(approval_void) with each thing in which the forecast has left the envelope.

        The rules of this machine were asked before, and ask for a level; the server asks its own.
        """
        check(self.envelope, now._replace(policy=None), self.plan, plan, catalog)

    def most_cents(self, now: SimulationResult) -> Decimal | None:
        """What the run may cost before somebody is asked again; None where the approval knows no bound.

        A forecast that is within the envelope may be a little above what was approved, by chance.
        """
        if self.envelope is None or not self.envelope.cost.known or now.forecast.cost is None:
            return None
        most = Decimal(repr(max(self.envelope.cost.value, now.forecast.cost.p95.value))) * _ROUNDED
        return most.quantize(Decimal("0.000001"), ROUND_CEILING)

    def use(self, run: str, plan: Plan) -> None:
        """Use it once for this run; again for the same run is still once.

        Raises AosError: approval_void, already_consumed, grant_expired, not_approved, authorization_denied.
        """
        self.client.consume(
            self.request,
            digest=self.digest,
            plan=dump_plan(plan),
            run_id=run,
            idempotency_key=f"{run}.{self.request}",
        )

    def record(self, most: Decimal | None, after_ms: float = 0.0) -> Mapping[str, Any]:
        """What the ledger keeps of it. `after_ms`: the active time of the run that was given it while under way."""
        known = bounds(self.envelope) if self.envelope else None
        return {
            "request_id": self.request,
            "server": self.server,
            "digest": self.digest,
            "level": self.level,
            "most_cents": None if most is None else str(most),
            "bounds": known
            and {
                "samples": known.samples,
                "time_p95_ms": known.time_ms,
                "success": known.success,
                "after_ms": after_ms,
            },
        }


def grant_of(client: Client, server: str, request: str, *, used: bool = False) -> Grant:
    """The approval of that request. `used`: it may be that the run it is for has used it already.

    Raises AosError: approval_pending, not_approved, already_consumed, not_found.
    """
    seen = look(client, request)
    told = seen.document
    status = str(told["status"])
    if status in OPEN:
        raise AosError("approval_pending", "nobody has decided on it yet")
    if status == "consumed" and not used:
        raise AosError("already_consumed", "it was used as often as it was granted")
    if status not in ("approved", "consumed"):
        raise AosError("not_approved", f"it is {status}")
    return Grant(client, server, request, told["digest"], told["required_level"], told["plan"], seen.envelope)
