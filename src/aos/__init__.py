"""Forecasts for agent plans: what a plan will cost, how long it will take, how likely it is to work.

    from aos import Catalog, Plan, simulate
    result = simulate(load_plan("plan.json", load_catalog()).plan)
    result.verdict.decision, result.forecast.cost.p95.value

The names below are the public interface; they load what they need when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from aos.api.history import Question as Question
    from aos.api.queries import ask as ask
    from aos.api.run import Means as Means
    from aos.api.run import run as run
    from aos.api.simulate import simulate as simulate
    from aos.api.sources import load_catalog as load_catalog
    from aos.api.sources import load_plan as load_plan
    from aos.domain.forecasts import Forecast as Forecast
    from aos.domain.plans import Plan as Plan
    from aos.domain.plans import Step as Step
    from aos.domain.results import RunResult as RunResult
    from aos.domain.results import SimulationResult as SimulationResult
    from aos.domain.skills import Catalog as Catalog
    from aos.domain.skills import Skill as Skill
    from aos.domain.verdicts import Limits as Limits
    from aos.domain.verdicts import Verdict as Verdict
    from aos.errors import AosError as AosError
    from aos.errors import InputError as InputError

_HOMES = {
    "AosError": "aos.errors",
    "Catalog": "aos.domain.skills",
    "Forecast": "aos.domain.forecasts",
    "InputError": "aos.errors",
    "Limits": "aos.domain.verdicts",
    "Means": "aos.api.run",
    "Plan": "aos.domain.plans",
    "Question": "aos.api.history",
    "RunResult": "aos.domain.results",
    "SimulationResult": "aos.domain.results",
    "Skill": "aos.domain.skills",
    "Step": "aos.domain.plans",
    "Verdict": "aos.domain.verdicts",
    "ask": "aos.api.queries",
    "load_catalog": "aos.api.sources",
    "load_plan": "aos.api.sources",
    "run": "aos.api.run",
    "simulate": "aos.api.simulate",
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
