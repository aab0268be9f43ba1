"""Codes of what has left the envelope of an approval: each names one thing that is no longer as it was approved."""

from aos.errors.rows import Code, Exit

__all__ = ["ROWS"]


def _left(title: str, meaning: str, fix: str) -> Code:
    return Code("approval", title, meaning, fix, Exit.CONFLICT, 409)


_AGAIN = "Look at the change, then ask for a new approval."

ROWS: dict[str, Code] = {
    "plan_changed": _left(
        "Not the plan that was approved",
        "A step, a parameter, an input or a limit is another one. The name, `x-*` and `_meta` may change.",
        _AGAIN,
    ),
    "contract_changed": _left(
        "Contract of a skill changed",
        "The version, declared price, effects, retry or limits of a skill that the plan calls are others.",
        _AGAIN,
    ),
    "policy_stricter": _left(
        "The policy has become stricter",
        "The rules that hold now ask for more than those that held when it was approved.",
        "Ask for an approval of the level that the policy names, or change the plan until it is allowed.",
    ),
    "budget_raised": _left(
        "Larger budget than approved",
        "The run may spend more than the budget that was approved.",
        "Keep to the approved budget, or ask for an approval of the larger one.",
    ),
    "cost_outside": _left(
        "Cost beyond what was approved",
        "More runs cost more than the approved p95 than chance explains, or the cost is no longer known.",
        _AGAIN,
    ),
    "time_outside": _left(
        "Time beyond what was approved",
        "More runs take longer than 1.25 times the approved p95 than chance explains, or it is no longer known.",
        _AGAIN,
    ),
    "success_outside": _left(
        "Success less likely than approved",
        "The chance of success is lower than 2 points and the noise of sampling explain, or no longer known.",
        _AGAIN,
    ),
    "risk_new": _left(
        "A risk that was not approved",
        "A failure that was not among the approved risks is met by more than 2 of 100 runs and the noise of sampling.",
        _AGAIN,
    ),
    "effect_new": _left(
        "An effect that was not approved",
        "A step does what nobody approved: another skill, a new target or secret, or something less reversible.",
        _AGAIN,
    ),
}
