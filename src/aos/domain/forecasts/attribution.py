"""Attribution: what a forecast's spread and risks come from, and what records would make it firmer."""

from typing import Literal, NamedTuple

Danger = Literal["failure", "over_budget", "late"]
Spending = Literal["work", "retries", "overhead", "slots", "rate_limit"]


class StepShare(NamedTuple):
    """What one step contributes. Shares of one kind add up to 1 over the steps; all are 0 where there is
    nothing to share (a cost that never varies, a plan that never fails).

    `cost` and `time` are shares of the variance; a step that is cheap when the others are dear has a negative
    one. `failure` is the share of failed runs that fail at this step first. `critical` is the chance to be on
    the critical path, no share. `over_budget` and `late` are shares of what is exceeded in the runs that
    break the limit; None where there is no limit.
    """

    id: str
    cost: float
    time: float
    failure: float
    critical: float
    over_budget: float | None
    late: float | None


class TimePart(NamedTuple):
    """What part of the time goes to `what`: ms on average, and the share of the mean time.

    `work` are the attempts that a run can't do without, one a call; `retries` all others with the pauses before them;
    `overhead` what passes between steps; `slots` and `rate_limit` the waits in queues, each with the `name` of the pool
    or of the skill that is limited.
    """

    what: Spending
    name: str | None
    ms: float
    share: float


class Fix(NamedTuple):
    """Where to begin: `step` makes `share` of the danger that uses up most of what is tolerated.

    `chance` is that of the danger itself.
    """

    step: str
    danger: Danger
    chance: float
    share: float


class Attribution(NamedTuple):
    """Shares in the order of the plan's steps; `first` is None where nothing ever went wrong.

    `time` says where time goes, on the critical path; empty where there is none. What is unknown is left out.
    """

    steps: tuple[StepShare, ...]
    first: Fix | None
    time: tuple[TimePart, ...] = ()


class Evidence(NamedTuple):
    """What would make the verdict firmer, the most useful first.

    `why`: the figure is `unknown`; it is `declared`, somebody's word; it rests on `few_records`; or the
    verdict is `too_close` to call, which no record mends, but a limit or threshold moved outside `clear`
    (the chance at or below which it would be met, and the one from which it would be missed) does.
    `records` are those there are, `runs` how many more attempts recorded would do; `share` is the part of the
    spread or the failures that rests on the figure.
    """

    why: Literal["unknown", "declared", "few_records", "too_close"]
    skill: str | None
    figure: Literal["cost_cents", "latency_ms", "failures"] | None
    share: float
    records: int | None
    runs: int | None
    clear: tuple[float, float] | None
    detail: str
