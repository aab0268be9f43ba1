"""Rules from where a team keeps them, and what they say of a plan."""

from dataclasses import dataclass
from functools import lru_cache

from aos.domain.approvals.policies import PolicyVerdict, Principal
from aos.domain.forecasts.results import SimulationResult
from aos.files.policies import read_policies
from aos.policy.plans import evaluate, ruled
from aos.policy.rules import Policy, Source, default_policy, load
from aos.wire.problems import visible

__all__ = ["Gate", "gate", "judged", "load_policy", "policy_verdict"]


def load_policy(place: str | None = None) -> Policy:
    """The rules in a file or folder; None: those that ship.

    Raises InputError(invalid_policy) with everything wrong with them, AosError(unreadable | policy_engine_missing).
    """
    return default_policy() if place is None else load(read_policies(place), visible(place, 200))


def policy_verdict(policy: Policy, result: SimulationResult, principal: Principal) -> PolicyVerdict:
    """What the rules say of a plan as it was simulated."""
    return evaluate(policy, result, principal)


def judged(policy: Policy, result: SimulationResult, principal: Principal) -> SimulationResult:
    """The simulation with what the rules say: a denial makes it infeasible, an approval is waited for."""
    return ruled(result, evaluate(policy, result, principal))


@dataclass(frozen=True, slots=True)
class Gate:
    """What a forecast has to pass: rules as they were read, and who asks. `place` None: there are no rules.

    Called with a simulation it gives that back with what the rules say. Other processes can have it, too.
    """

    place: str | None
    sources: tuple[Source, ...]
    principal: Principal

    def __call__(self, result: SimulationResult) -> SimulationResult:
        """The simulation, judged. Raises nothing that `gate` would not have raised."""
        return result if self.place is None else judged(_loaded(self), result, self.principal)


def gate(place: str | None, principal: Principal) -> Gate:
    """The rules at `place`, read now, for who asks. Raises as `load_policy` does."""
    found = Gate(place, () if place is None else tuple(read_policies(place)), principal)
    if place is not None:
        _loaded(found)
    return found


@lru_cache(maxsize=4)
def _loaded(gate: Gate) -> Policy:
    return load(gate.sources, visible(str(gate.place), 200))
