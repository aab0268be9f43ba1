"""Rules from where a team keeps them, and what they say of a plan."""

from collections.abc import Callable

from aos.domain.policies import PolicyVerdict, Principal
from aos.domain.results import SimulationResult
from aos.files.policies import read_policies
from aos.policy.plans import evaluate, ruled
from aos.policy.rules import Policy, default_policy, load
from aos.wire.problems import visible

__all__ = ["gate", "judged", "load_policy", "policy_verdict"]


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


def gate(place: str | None, principal: Principal) -> Callable[[SimulationResult], SimulationResult]:
    """What a forecast has to pass before its plan is run: the rules at `place`, read now; None: nothing.

    Raises as `load_policy` does. A run starts only where `aos.api.run.permitted` says so of what comes out.
    """
    if place is None:
        return lambda result: result
    policy = load_policy(place)
    return lambda result: judged(policy, result, principal)
