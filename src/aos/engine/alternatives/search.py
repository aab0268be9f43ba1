"""The search: which limits, declarations and edits keep what they promise, those that change least first."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from aos.domain.forecasts.alternatives import Alternative, Declaration, Kind
from aos.domain.forecasts.forecast import Chance, Forecast
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Limits, Verdict
from aos.domain.plans.plan import Plan
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog
from aos.engine.alternatives.ceilings import ceilings
from aos.engine.alternatives.edits import Edit, applied, both, flags, limited, patch
from aos.engine.alternatives.guesses import Guesses, open_steps
from aos.engine.alternatives.levers import Help, Lever, Workshop, levers
from aos.engine.alternatives.limits import least_limits
from aos.engine.alternatives.trials import Trial, Trials
from aos.engine.attribution import contributions

_MOST = 8
_OF_A_KIND = 2
_EFFORT = 8.0
_SLACK = 0.05
_GAIN = 0.1
_NO_WORSE = 0.01
_SECONDS = 3
_GAINFUL: set[Kind] = {"change_model", "run_in_parallel", "drop_step"}
_NOUNS = {"cost_cents": "price", "latency_ms": "latency", "failure": "chance to fail"}
_BEYOND_MENDING = {"skill_unavailable", "permission_denied"}


def alternatives(
    plan: Plan,
    catalog: Catalog,
    prices: Mapping[str, ModelPrice],
    limits: Limits,
    forecast: Forecast,
    verdict: Verdict,
    *,
    samples: int,
    seed: int,
    models: Mapping[str, ModelPrice],
) -> tuple[Alternative, ...]:
    """The smallest changes that make a plan feasible, or a feasible one a tenth cheaper or faster; at most 8.

    `forecast` and `verdict` are those of the plan under `limits`, `prices` those it was compiled with,
    `samples` and `seed` what was asked for. `models` are the prices of models that may stand in for others.

    Each is simulated with that seed and those samples, and offered only if it does what it is offered for:
    whoever applies it and simulates again sees the outlook it carries. All together take no longer than about
    ten simulations of the plan; what can't suffice, even if its steps were free, instant and never failed, is
    not simulated at all. First come limits and declarations, then edits that keep the plan's meaning, then
    those that may not; among each, less change first. Two edits together are tried where no single one is
    enough. A plan that is refused for a skill or a permission has none.
    """
    if any(reason.code in _BEYOND_MENDING for reason in verdict.reasons):
        return ()
    trials = Trials(
        plan, catalog, {**models, **prices}, limits, forecast, samples=samples, seed=seed, effort=_EFFORT
    )
    search = _Search(plan, trials, models)
    found = search.gains() if verdict.decision == "feasible" else search.flips()
    return tuple(sorted(found, key=_rank)[:_MOST])


def _rank(alternative: Alternative) -> tuple[bool, bool, float]:
    touches_steps = any(operation.path.startswith("/steps") for operation in alternative.patch)
    return touches_steps, alternative.changes_meaning, alternative.size


class _Search:
    """One plan, its levers, guesses of what they give, and trials of what they really do."""

    def __init__(self, plan: Plan, trials: Trials, models: Mapping[str, ModelPrice]) -> None:
        program, chunk = trials.base.program, trials.base.chunks[0]
        parts = contributions(program, chunk)
        shop = Workshop(plan, trials.catalog, trials.prices, models, program, chunk, parts)
        self.plan = plan
        self.trials = trials
        self.levers = [lever for lever in levers(shop) if lever.edits]
        still_open = tuple(open_steps(program, chunk))
        trials.forget_steps()
        self.guess = Guesses(trials.base.chunks[0], parts, still_open, trials.limits)

    # -- the plan is not feasible --------------------------------------------------------------------------

    def flips(self) -> Iterator[Alternative]:
        """What makes it feasible."""
        limits = list(self._other_limits(self.trials.base))
        yield from limits
        yield from self._declaring()
        lacking = _lacking(self.trials.base, self.trials.limits)
        useful = [lever for lever in self.levers if lacking & lever.helps]
        single = list(self._singles([lever for lever in useful if lacking <= lever.helps]))
        yield from single
        if all(offer.changes_meaning for offer in single):
            kept = [lever for lever in useful if not (single and lever.edits[-1].changes_meaning)]
            if not limits:
                yield from self._with_limits(kept)
            yield from self._pairs(kept)

    def _other_limits(self, trial: Trial, edit: Edit | None = None) -> Iterator[Alternative]:
        """Limits that a simulated plan keeps, on top of the edit it has."""
        for raised in least_limits(trial.chunks, self.trials.limits):
            together = raised if edit is None else both(edit, raised)
            judged = self.trials.with_limits(trial, limited(self.trials.limits, raised))
            if judged.feasible and together is not None:
                yield self._offer(together, judged)

    def _declaring(self) -> Iterator[Alternative]:
        """What the figures that nobody knows may be at most."""
        found = ceilings(self.trials, self.plan)
        if found:
            declares, trial = found
            words = " and ".join(map(_in_words, declares))
            yield self._offer(Edit("declare", words, {}, 0.0), trial, declares)

    def _singles(self, useful: Sequence[Lever]) -> Iterator[Alternative]:
        """The weakest edit of each lever that suffices, of those that could at all; two of a kind."""
        done: dict[Kind, list[set[int]]] = {}
        possible = [lever for lever in useful if self.guess.margin((lever, lever.strongest)) >= -_SLACK]
        possible.sort(key=lambda lever: (lever.strongest.changes_meaning, lever.strongest.size))
        for lever in possible:
            before = done.setdefault(lever.strongest.kind, [])
            if len(before) == _OF_A_KIND or any(steps <= {*lever.edits[0].steps} for steps in before):
                continue
            found = self._weakest(lever)
            if found:
                before.append({*found[0].steps})
                yield self._offer(*found)

    def _weakest(self, lever: Lever) -> tuple[Edit, Trial] | None:
        """The weakest edit that suffices: guessed, closed in on by probes, then tried, at last the strongest."""
        last = len(lever.edits) - 1

        def could(edit: Edit) -> bool:
            return self.guess.margin((lever, edit)) >= -_SLACK

        low, high = bisect_left(lever.edits, True, hi=last, key=could), last
        while low < high:
            middle = (low + high) // 2
            probe = self._try(lever.edits[middle], probe=True)
            if probe is None:
                return None
            low, high = (low, middle) if probe.shortfall <= 0 else (middle + 1, high)
        for edit in dict.fromkeys((low, min(low + 1, last), last)):
            trial = self._try(lever.edits[edit])
            if trial is None or trial.feasible:
                return trial and (lever.edits[edit], trial)
        return None

    def _with_limits(self, useful: Sequence[Lever]) -> Iterator[Alternative]:
        """Where limits alone don't help and no edit alone does: the likeliest edits, and limits to go with them."""
        likely = sorted(useful, key=lambda lever: -self.guess.success_margin((lever, lever.strongest)))
        for lever in likely[:_SECONDS]:
            if trial := self._try(lever.strongest):
                yield from self._other_limits(trial, lever.strongest)

    def _pairs(self, useful: Sequence[Lever]) -> Iterator[Alternative]:
        """Two edits: of the likeliest alone, those that go best with another one."""
        moves = [(lever, lever.strongest) for lever in useful]
        moves.sort(key=lambda move: -self.guess.margin(move))
        likely = []
        for i, first in enumerate(moves[:_SECONDS]):
            for second in moves[i + 1 :]:
                margin = self.guess.margin(first, second)
                edit = both(first[1], second[1])
                if edit is not None and margin >= -_SLACK:
                    likely.append((edit.changes_meaning, -margin, edit))
        likely.sort(key=lambda pair: pair[:2])
        for *_, edit in likely[:_SECONDS]:
            trial = self._try(edit)
            if trial and trial.feasible:
                yield self._offer(edit, trial)

    # -- the plan is feasible already ----------------------------------------------------------------------

    def gains(self) -> Iterator[Alternative]:
        """What makes it a tenth cheaper or faster, and nothing worse."""
        edits = [(self.guess.saving(lever, lever.strongest), lever.strongest) for lever in self.levers]
        edits.sort(key=lambda promise: -promise[0])
        offered: dict[Kind, int] = {}
        for saving, edit in edits:
            if saving < _GAIN or edit.kind not in _GAINFUL or offered.get(edit.kind, 0) == _OF_A_KIND:
                continue
            trial = self._try(edit)
            if trial and trial.feasible and self._gains(trial):
                offered[edit.kind] = offered.get(edit.kind, 0) + 1
                yield self._offer(edit, trial)

    def _gains(self, trial: Trial) -> bool:
        """Whether a median falls by a tenth, and nothing gets worse by more than a hundredth."""
        old, new = self.trials.base.outlook, trial.outlook
        if new.feasible.low.value < old.feasible.low.value - _NO_WORSE:
            return False
        gained = False
        for name in ("cost_p50", "cost_p95", "time_p50", "time_p95"):
            was, now = getattr(old, name), getattr(new, name)
            if was is None or now is None:
                continue
            if now > was * (1 + _NO_WORSE):
                return False
            gained |= name.endswith("p50") and now < was * (1 - _GAIN)
        return gained

    # -- what is tried and offered -------------------------------------------------------------------------

    def _try(self, edit: Edit, *, probe: bool = False) -> Trial | None:
        return self.trials.of_plan(applied(self.plan, edit), probe=probe)

    def _offer(self, edit: Edit, trial: Trial, declares: tuple[Declaration, ...] = ()) -> Alternative:
        any_value = {declared.figure for declared in declares if declared.at_most is None}
        outlook = trial.outlook
        if "cost_cents" in any_value:
            outlook = outlook._replace(cost_p50=None, cost_p95=None)
        if "latency_ms" in any_value:
            outlook = outlook._replace(time_p50=None, time_p95=None)
        return Alternative(
            kind=edit.kind,
            summary=edit.summary,
            assumes=edit.assumes,
            changes_meaning=edit.changes_meaning,
            size=edit.size,
            flags=flags(edit),
            patch=patch(self.plan, edit),
            declares=declares,
            plan=applied(self.plan, edit),
            limits=limited(self.trials.limits, edit),
            outlook=outlook,
            difference=self.trials.difference(outlook),
        )


def _lacking(base: Trial, limits: Limits) -> frozenset[Help]:
    """Which chances must rise for the plan to be feasible."""
    lacking: set[Help] = set()
    outlook = base.outlook
    if not _clear(outlook.success, limits.min_success):
        lacking.add("success")
    if not _clear(outlook.in_budget, limits.confidence):
        lacking.add("cost")
    if not _clear(outlook.in_time, limits.confidence):
        lacking.add("time")
    # Each limit is kept often enough, and not both at once: a cheaper plan would do, and so would a faster one.
    return frozenset(lacking or {"cost", "time"})


def _clear(chance: Chance, asked: float) -> bool:
    return chance.low.value - STANDARD_ERRORS * chance.low.se >= asked


def _in_words(declared: Declaration) -> str:
    who = declared.model or declared.skill
    if declared.at_most is None:
        return f"{who}: any {_NOUNS[declared.figure]} will do"
    match declared.figure:
        case "cost_cents":
            return f"{who} costs at most {declared.at_most:g}c a call"
        case "latency_ms":
            return f"{who} takes at most {declared.at_most:g} ms a call"
        case "failure":
            return f"{who} fails in at most {declared.at_most * 100:g} % of calls"
