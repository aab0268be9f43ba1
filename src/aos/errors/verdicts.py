"""Codes of verdicts: reasons, not errors."""

from aos.errors.rows import Code, Exit

__all__ = ["ROWS"]

ROWS: dict[str, Code] = {
    # -- verdicts: reasons, not errors -----------------------------------------------------------
    "budget_insufficient": Code(
        "verdict",
        "Over budget",
        "The chance that the plan's cost stays within the budget is below the confidence asked for.",
        "Raise the budget to the amount named, if one is; or make the dearest steps cheaper.",
        Exit.NO,
        200,
    ),
    "deadline_exceeded": Code(
        "verdict",
        "Past the deadline",
        "The chance that the plan ends by the deadline is below the confidence asked for.",
        "Move the deadline to the time named, if one is; or let independent steps run in parallel (`needs`).",
        Exit.NO,
        200,
    ),
    "limits_exceeded": Code(
        "verdict",
        "Over the limits taken together",
        "Budget and deadline are each kept often enough, but not both at once.",
        "Relax one of them.",
        Exit.NO,
        200,
    ),
    "risk_too_high": Code(
        "verdict",
        "Risk too high",
        "The chance that every step succeeds is below the one asked for.",
        "Give the riskiest step a fallback or `on_error: continue`.",
        Exit.NO,
        200,
    ),
    "skill_unavailable": Code(
        "verdict",
        "Skill unavailable",
        "The skill is known but disabled, or has no implementation here.",
        "Enable it in the catalog, or use another skill.",
        Exit.NO,
        200,
    ),
    "permission_denied": Code(
        "verdict",
        "Permission denied",
        "A permission or a policy forbids a step.",
        "Ask for the permission, or use another skill.",
        Exit.NO,
        200,
    ),
    "too_close": Code(
        "verdict",
        "Too close to call",
        "At the most samples the chance is still within two standard errors of its threshold.",
        "Move the limit or the threshold a little; more samples would not tell.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_cost": Code(
        "verdict",
        "Cost unknown",
        "Nobody has said what a step costs, so the chance to stay within the budget can't be told.",
        "Declare a price in a catalog (`--catalog`), or record runs and calibrate.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_latency": Code(
        "verdict",
        "Latency unknown",
        "Nobody has said how long a step takes, so the chance to meet the deadline can't be told.",
        "Declare a latency in a catalog (`--catalog`), or record runs and calibrate.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_failure": Code(
        "verdict",
        "Failure chance unknown",
        "Nobody has said how often a step fails, so the chance of success can't be told.",
        "Declare failure modes in a catalog (`--catalog`), or record runs and calibrate.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_items": Code(
        "verdict",
        "Number of items unknown",
        "`for_each` goes over something whose length nobody knows before the run.",
        'Say what to expect: `"expect": {"items": {"p50": 5, "p90": 20}}`.',
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_wait": Code(
        "verdict",
        "Wait for people unknown",
        "A step asks for an approval and nobody has recorded how long people take to decide.",
        "Declare `approval_wait` in a catalog; the verdict counts active time only.",
        Exit.YES,
        200,
    ),
    "approval_required": Code(
        "verdict",
        "Approval required",
        "A step waits for a person of the level named before it runs.",
        "Nothing to mend: ask for the approval when the plan is ready to run.",
        Exit.PENDING,
        200,
    ),
}
