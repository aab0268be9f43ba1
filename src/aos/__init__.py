"""Forecasts for agent plans: what a plan will cost, how long it will take, how likely it is to work.

    from aos import load_catalog, load_plan, simulate
    result = simulate(load_plan("plan.json", load_catalog()).plan)
    result.verdict.decision, result.forecast.cost.p95.value

The names below are the public interface; they load what they need when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from aos.api.files.sources import load_catalog as load_catalog
    from aos.api.files.sources import load_plan as load_plan
    from aos.api.forecast.policies import gate as gate
    from aos.api.forecast.simulate import simulate as simulate
    from aos.api.running.history import Question as Question
    from aos.api.running.queries import ask as ask
    from aos.api.running.run import Means as Means
    from aos.api.running.run import resume as resume
    from aos.api.running.run import run as run
    from aos.domain.approvals.policies import Principal as Principal
    from aos.domain.forecasts.forecast import Forecast as Forecast
    from aos.domain.forecasts.results import SimulationResult as SimulationResult
    from aos.domain.forecasts.verdicts import Limits as Limits
    from aos.domain.forecasts.verdicts import Verdict as Verdict
    from aos.domain.plans.plan import Plan as Plan
    from aos.domain.plans.plan import Step as Step
    from aos.domain.runs.results import RunResult as RunResult
    from aos.domain.skills.skill import Catalog as Catalog
    from aos.domain.skills.skill import Skill as Skill
    from aos.errors import AosError as AosError
    from aos.errors import InputError as InputError
    from aos.ledger.ledger import Ledger as Ledger

_HOMES = {
    "AosError": "aos.errors",
    "Catalog": "aos.domain.skills.skill",
    "Forecast": "aos.domain.forecasts.forecast",
    "InputError": "aos.errors",
    "Ledger": "aos.ledger.ledger",
    "Limits": "aos.domain.forecasts.verdicts",
    "Means": "aos.api.running.run",
    "Plan": "aos.domain.plans.plan",
    "Principal": "aos.domain.approvals.policies",
    "Question": "aos.api.running.history",
    "RunResult": "aos.domain.runs.results",
    "SimulationResult": "aos.domain.forecasts.results",
    "Skill": "aos.domain.skills.skill",
    "Step": "aos.domain.plans.plan",
    "Verdict": "aos.domain.forecasts.verdicts",
    "ask": "aos.api.running.queries",
    "gate": "aos.api.forecast.policies",
    "load_catalog": "aos.api.files.sources",
    "load_plan": "aos.api.files.sources",
    "resume": "aos.api.running.run",
    "run": "aos.api.running.run",
    "simulate": "aos.api.forecast.simulate",
}

__all__ = [*sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'aos' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
