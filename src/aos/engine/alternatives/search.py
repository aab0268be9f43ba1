"""The search: which limits, declarations and edits keep what they promise, those that change least first."""

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from aos.domain.durations import duration
from aos.domain.forecasts.alternatives import Alternative, Declaration, Kind
from aos.domain.forecasts.forecast import Chance, Forecast
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Limits, Verdict
from aos.domain.plans.plan import Plan
from aos.domain.plans.sizes import MAX_ITEMS
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog
from aos.engine.alternatives.agreements import agreed, agreements
from aos.engine.alternatives.ceilings import ceilings
from aos.engine.alternatives.cutoffs import cutoffs
from aos.engine.alternatives.edits import Edit, applied, both, flags, limited, patch
from aos.engine.alternatives.guesses import Guesses, open_steps
from aos.engine.alternatives.levers import Help, Lever, Workshop, dropped, levers
from aos.engine.alternatives.limits import least_limits
from aos.engine.alternatives.together import least_pair, weakest_pair
from aos.engine.alternatives.trials import Rules, Trial, Trials
from aos.engine.attribution import contributions

_MOST = 8
_OF_A_KIND = 2
_EFFORT, _ITEMS_EFFORT = 8.0, 16.0
_SLACK = 0.05
_HARDLY_EVER = 0.1
_GAIN = 0.1
_NO_WORSE = 0.01
_SECONDS = 3
_STRIDES = (0, 1, 3, 7, MAX_ITEMS)
_GAINFUL: set[Kind] = {"change_model", "run_in_parallel", "drop_step"}
_NOUNS = {"cost_cents": "price", "latency_ms": "latency", "failure": "chance to fail"}


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
    refused: Collection[int] = (),
    aim: Limits | None = None,
    rules: Rules | None = None,
    progress: Callable[[int], None] = lambda drawn: None,
) -> tuple[Alternative, ...]:
    """The smallest changes that make a plan feasible, or a feasible one a tenth cheaper or faster; at most 8.

    `forecast` and `verdict` are those of the plan under `limits`, `prices` those it was compiled with,
    `samples` and `seed` what was asked for. `models` are the prices of models that may stand in for others.

    Each is simulated with that seed and those samples, and offered only if it does what it is offered for:
    whoever applies it and simulates again sees the outlook it carries. All together take no longer than about
    ten simulations of the plan, or twenty where nobody knows how many items a step has: so few are in the plan
    as it is. What can't suffice, even if its steps were free, instant and never failed, is not simulated at all.
    First come limits and declarations, then edits that keep the plan's meaning, then what others would have to agree
    to, then edits that may not keep it; among each, less change first; last of all to ask for less success. Two edits
    together are tried where no single one is enough.

    `refused` are steps (indices) that can't run whatever else changes: of such a plan those that nobody would miss
    are dropped, and no more is tried. `rules` judge each change, too; `aim` are limits, none of them wider, within
    which they may have nothing against the plan: a hint of what to try. `progress` is told the samples drawn so far.
    """
    effort = _ITEMS_EFFORT if any(u.code == "unknown_items" for u in forecast.unknowns) else _EFFORT
    trials = Trials(
        plan,
        catalog,
        {**models, **prices},
        limits,
        forecast,
        samples=samples,
        seed=seed,
        effort=effort,
        aim=aim,
        rules=rules,
        progress=progress,
    )
    search = _Search(plan, trials, models, verdict, refused)
    found = search.gains() if verdict.decision == "feasible" else search.flips()
    return tuple(sorted(found, key=_rank)[:_MOST])


def _rank(alternative: Alternative) -> tuple[bool, bool, bool, bool, float]:
    touches_steps = any(operation.path.startswith("/steps") for operation in alternative.patch)
    accepts_risk, of_others = alternative.kind == "accept_risk", bool(alternative.agreed)
    changes_meaning, size = alternative.changes_meaning, alternative.size
    return accepts_risk, touches_steps or of_others, changes_meaning, of_others, size


class _Search:
    """One plan, its levers, guesses of what they give, and trials of what they really do."""

    def __init__(
        self,
        plan: Plan,
        trials: Trials,
        models: Mapping[str, ModelPrice],
        verdict: Verdict,
        refused: Collection[int],
    ) -> None:
        program, chunk = trials.base.program, trials.base.chunks[0]
        parts = contributions(program, chunk)
        shop = Workshop(plan, trials.catalog, trials.prices, models, program, chunk, parts)
        self.plan = plan
        self.trials = trials
        found = (*levers(shop), *cutoffs(shop, trials.aim.confidence), *agreements(shop))
        self.levers = [lever for lever in found if lever.edits]
        still_open = tuple(open_steps(program, chunk))
        trials.forget_steps()
        self.shop = shop._replace(chunk=trials.base.chunks[0])
        self.guess = Guesses(trials.base.chunks[0], parts, still_open, trials.aim)
        self.refused = refused
        denied = [reason.pointer for reason in verdict.reasons if reason.code == "permission_denied"]
        self.denied = {int(pointer.split("/")[2]) for pointer in denied if pointer}
        self.is_denied = bool(denied)

    # -- the plan is not feasible --------------------------------------------------------------------------

    def flips(self) -> Iterator[Alternative]:
        """What makes it feasible."""
        if self.refused or len(self.denied) > 1:
            yield from self._without({*self.refused, *self.denied})
        if self.refused:
            return
        limits = list(self._other_limits(self.trials.base))
        yield from limits
        yield from self._accepting()
        yield from self._declaring()
        lacking = _lacking(*self.trials.aimed(self.trials.base), self.trials.aim)
        useful = [lever for lever in self.levers if lacking & lever.helps]
        if self.is_denied and self.trials.base.shortfall <= 0:
            # No figure is too large, so a step is too much.
            drops = [lever for lever in useful if lever.strongest.kind == "drop_step"]
            useful = [lever for lever in drops if not self.denied or self.denied & {*lever.strongest.steps}]
        single = list(self._singles([lever for lever in useful if lacking <= lever.helps]))
        yield from single
        own = [offer for offer in single if not offer.agreed]
        if all(offer.changes_meaning for offer in own):
            kept = [lever for lever in useful if not (own and lever.strongest.changes_meaning)]
            if own != single:
                kept = [lever for lever in kept if not lever.strongest.agreed]
            if not limits:
                yield from self._with_limits(kept)
            pairs = list(self._pairs(kept))
            yield from pairs
            if own == single and not any(len(offer.agreed) > 1 for offer in pairs):
                yield from self._behind([lever for lever in kept if lever.strongest.agreed])

    def _other_limits(self, trial: Trial, edit: Edit | None = None) -> Iterator[Alternative]:
        """Limits that a simulated plan keeps, on top of the edit it has."""
        for raised in least_limits(trial.chunks, self.trials.limits):
            together = raised if edit is None else both(edit, raised)
            if together is not None:
                judged = self.trials.with_limits(trial, limited(self.trials.limits, together))
                if judged.feasible:
                    yield self._offer(together, judged)

    def _accepting(self) -> Iterator[Alternative]:
        """A plan that fails more often than was asked, taken as it is; with other limits where it needs them, too."""
        base, asked = self.trials.base, self.trials.limits.min_success
        success = base.outlook.success.low
        least = math.floor((success.value - STANDARD_ERRORS * success.se) * 1000) / 1000
        if not _HARDLY_EVER <= least < asked:
            return
        fails = f"{(1 - least) * 100:.3g} % of runs may fail"
        edit = Edit(
            "accept_risk", f"min-success {least:g}", {}, asked - least, assumes=fails, min_success=least
        )
        judged = self.trials.with_limits(base, limited(self.trials.limits, edit))
        if judged.feasible:
            yield self._offer(edit, judged)
        else:
            yield from self._other_limits(base, edit)

    def _without(self, steps: Collection[int]) -> Iterator[Alternative]:
        """The plan without these steps, where nobody would miss them, and with other limits where it needs them."""
        edit = dropped(self.plan, self.trials.catalog, steps)
        trial = edit and self._try(edit)
        if edit and trial and trial.feasible:
            yield self._offer(edit, trial)
        elif edit and trial:
            yield from self._other_limits(trial, edit)

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
        """The weakest edit that suffices: guessed, closed in on by probes, then tried.

        Probes are rough: where an edit they took for enough is not, ever larger strides lead to the strongest.
        """
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
        for stride in _STRIDES:
            edit = lever.edits[min(low + stride, last)]
            trial = self._try(edit)
            if trial is None or trial.feasible:
                return trial and (edit, trial)
            if low + stride >= last:
                return None
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
                    likely.append((edit.changes_meaning, -margin, first[0], second[0]))
        likely.sort(key=lambda pair: pair[:2])
        for *_, one, other in likely[:_SECONDS]:
            if found := weakest_pair(one, other, self._try):
                yield self._offer(*found)

    def _behind(self, useful: Sequence[Lever]) -> Iterator[Alternative]:
        """Two limits that others set, of which the second binds only once the first is raised."""
        for first in useful[:_SECONDS]:
            raised = agreed(self.trials.base.program, first.strongest.agreed)
            chunk = self.trials.looked_at(raised)
            if chunk is None:
                return
            shop = self.shop._replace(program=raised, parts=contributions(raised, chunk))
            for second in agreements(shop):
                if second.edits and second.edits[0].agreed[0].name != first.edits[0].agreed[0].name:
                    found = least_pair(first, second, self._try)
                    if found:
                        yield self._offer(*found)
                        return

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
        if not edit.changes:
            return self.trials.of_program(
                self.plan, agreed(self.trials.base.program, edit.agreed), probe=probe
            )
        return self.trials.of_plan(applied(self.plan, edit), edit.agreed, probe=probe)

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
            agreed=edit.agreed,
        )


def _lacking(success: Chance, in_budget: Chance, in_time: Chance, limits: Limits) -> frozenset[Help]:
    """Which chances must rise for the plan to be feasible."""
    lacking: set[Help] = set()
    if not _clear(success, limits.min_success):
        lacking.add("success")
    if not _clear(in_budget, limits.confidence):
        lacking.add("cost")
    if not _clear(in_time, limits.confidence):
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
            return f"{who} takes at most {duration(declared.at_most, stated=True)} a call"
        case "failure":
            return f"{who} fails in at most {declared.at_most * 100:g} % of calls"
