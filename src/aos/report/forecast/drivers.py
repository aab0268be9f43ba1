"""What drives a forecast, in plain words: where to begin, and what time goes to."""

from collections.abc import Mapping

from aos.domain.forecasts.attribution import Attribution, Danger, Fix, TimePart

_DANGERS: Mapping[Danger, str] = {
    "failure": "of the risk to fail",
    "over_budget": "of the risk to go over the budget",
    "late": "of the risk to be late",
}
_WORTH_SAYING = 0.001
_STANDS_OUT, _WORTH_NAMING = 0.10, 0.01


def begin_with(fix: Fix | None) -> str:
    """`fix s4 first: 71 % of the risk to be late`; "" where nothing goes wrong or no step stands out."""
    if fix is None or fix.share < _STANDS_OUT or fix.chance < _WORTH_SAYING:
        return ""
    return f"fix {fix.step} first: {fix.share * 100:.0f} % {_DANGERS[fix.danger]}"


def time_goes_to(attribution: Attribution | None) -> str:
    """`71 % waits for the rate limit of http_call, 25 % work, 4 % retries`; "" where nearly all of it is work."""
    parts = sorted(attribution.time if attribution else (), key=lambda part: -part.share)
    if not any(
        part.share >= _STANDS_OUT for part in parts if part.what in {"retries", "slots", "rate_limit"}
    ):
        return ""
    return ", ".join(
        f"{part.share * 100:.0f} % {_spent_on(part)}" for part in parts if part.share >= _WORTH_NAMING
    )


def _spent_on(part: TimePart) -> str:
    match part.what:
        case "rate_limit":
            return f"waits for the rate limit of {part.name}"
        case "slots":
            return f"waits for slots of {part.name}"
        case _:
            return part.what
