"""Codes of approvals: what becomes of a request, and what is no longer as it was approved."""

from aos.errors.rows import Code, Exit

__all__ = ["ROWS", "VOIDS"]


def _left(title: str, meaning: str, fix: str) -> Code:
    return Code("approval", title, meaning, fix, Exit.CONFLICT, 409)


_AGAIN = "Look at the change, then ask for a new approval."

VOIDS: dict[str, Code] = {
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
"""What has left the envelope of an approval."""

ROWS: dict[str, Code] = {
    # -- requests --------------------------------------------------------------------------------
    "policy_denied": Code(
        "approval",
        "Denied by policy",
        "The policy denies this whoever approves it, so nobody can be asked.",
        "`errors` names the rules; change the plan, or have the policy changed.",
        Exit.NO,
    ),
    "already_decided": Code(
        "approval",
        "Already decided",
        "The request is no longer open: it was approved, rejected, cancelled or has expired, and that never changes.",
        "Look at how it was decided; make another request if it is still needed.",
        Exit.CONFLICT,
        409,
    ),
    "already_voted": Code(
        "approval",
        "Already voted",
        "An approver counts once, and this one has approved the request already.",
        "Somebody else has to approve it, too.",
        Exit.CONFLICT,
        409,
    ),
    "stale_digest": Code(
        "approval",
        "Not what was looked at",
        "The digest given is not that of the request, so what was looked at is not what would be approved.",
        "Look at the request again, and decide with its digest.",
        Exit.CONFLICT,
        409,
    ),
    "no_higher_level": Code(
        "approval",
        "No higher level",
        "The request waits for the highest level already.",
        "Somebody of that level has to decide.",
        Exit.CONFLICT,
        409,
    ),
    "approval_pending": Code(
        "approval",
        "Not decided yet",
        "The request waits for people, so there is nothing to use.",
        "Wait for them.",
        Exit.PENDING,
        409,
    ),
    "not_approved": Code(
        "approval",
        "Not approved",
        "The request was rejected or cancelled, or has expired.",
        "Look at why; make another request if it is still needed.",
        Exit.NO,
        409,
    ),
    "already_consumed": Code(
        "approval",
        "Approval used up",
        "The approval was used as often as it was granted.",
        "Make another request.",
        Exit.CONFLICT,
        409,
    ),
    "approval_void": Code(
        "approval",
        "Approval void",
        "What is to be run is no longer what was approved: `errors` names what changed.",
        "Run what was approved, or make another request for what is to be run now.",
        Exit.CONFLICT,
        409,
    ),
    "grant_expired": Code(
        "approval",
        "Approval too old",
        "The approval was not used within its time, which began when it was given.",
        "Make another request.",
        Exit.NO,
        409,
    ),
    "no_open_review": Code(
        "approval",
        "Nothing to review",
        "Nobody broke the glass for this request, or its review is closed.",
        "`aos requests --unreviewed` lists what is to be reviewed.",
        Exit.CONFLICT,
        409,
    ),
    **VOIDS,
}
