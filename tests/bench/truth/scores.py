"""The bench's own scores: forecasts from the past part of the public records against the part after it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from aos.engine.scores.scoring import GRID, Score, brier, crps, crps_of_point, score
from tests.bench.truth.cases import Call, Family, Fold, Question, Run
from tests.bench.truth.forecasts import LEVELS, Prediction, learn, predict

HEADER = (
    f"{'family':16}{'split':24}{'cases':>6}{'in 90':>7}{'+-':>6}{'pooled':>7}{'>p95':>6}{'>p99':>6}"
    f"{'CRPS/mean':>10}{'/point':>7}{'bound':>6}{'/empirical':>11}{'p50 err':>8}{'p95 err':>8}"
    f"{'Brier':>7}{'cost in 90':>11}"
)
FOOT = "* what is held back follows what is known as the outcomes of the cases follow the public records"


def table(family: Family) -> Iterator[str]:
    """A line for each split of the family."""
    for fold in family.folds:
        yield _line(family, fold)


def _line(family: Family, fold: Fold) -> str:
    learned = learn(fold.past, family.by)
    means = _means(fold.past)
    past: dict[str, list[float]] = defaultdict(list)
    for run in fold.past:
        if run.succeeded is not False or run.about.startswith("agent_trial"):
            past[run.about].append(run.value)
    scores: list[Score] = []
    point, empirical, best, chances, cents = [], [], [], [], []
    for question, runs in fold.asked:
        told = predict(question, learned)
        values = np.array([run.value for run in runs])
        if not values.size:
            continue
        scores.append(score(told.quantiles, LEVELS, values))
        mean = values.mean()
        point.append(crps_of_point(_critical_path(question, means), values) / mean)
        best.append(crps(np.quantile(values, GRID), values) / mean)
        if past[question.id]:
            empirical.append(crps(np.quantile(past[question.id], GRID), values) / mean)
        chances += _brier(told, runs)
        if told.cents is not None:
            cents.append(_in_90(told.cents, np.array([run.cents for run in runs], np.float64)))
    split = f"{fold.name}{' *' if fold.as_asked else ''}"
    return f"{family.name:16}{split:24}" + _figures(scores, point, best, empirical, chances, cents)


def _figures(
    scores: Sequence[Score],
    point: Sequence[float],
    best: Sequence[float],
    empirical: Sequence[float],
    chances: Sequence[float],
    cents: Sequence[float],
) -> str:
    n = np.array([s.n for s in scores])
    in90 = np.array([s.in90 for s in scores])
    relative = np.mean([s.crps / s.mean for s in scores])
    many = [s for s in scores if s.n >= 20]
    return (
        f"{len(scores):6}{in90.mean():7.3f}{in90.std() / np.sqrt(len(n)):6.3f}{(in90 * n).sum() / n.sum():7.3f}"
        f"{np.mean([s.over95 for s in scores]):6.3f}{np.mean([s.over99 for s in scores]):6.3f}"
        f"{relative:10.4f}{relative / np.mean(point):7.3f}"
        + (f"{np.mean(best) / np.mean(point):6.2f}" if n.mean() > 1 else f"{'':6}")
        + (f"{relative / np.mean(empirical):11.3f}" if len(empirical) == len(scores) else f"{'':11}")
        + (f"{np.median([s.p50_error for s in many or scores]):8.3f}")
        + (f"{np.median([s.p95_error for s in many]):8.3f}" if many else f"{'':8}")
        + (f"{np.mean(chances):7.4f}" if chances else f"{'':7}")
        + (f"{np.mean(cents):11.3f}" if cents else "")
    )


def _brier(told: Prediction, runs: Sequence[Run]) -> list[float]:
    known = np.array([run.succeeded for run in runs if run.succeeded is not None], np.float64)
    return [brier(told.success, known)] if told.success is not None and known.size else []


def _in_90(quantiles: np.ndarray, values: np.ndarray) -> float:
    low, high = np.interp([0.05, 0.95], LEVELS, quantiles)
    return float(((low <= values) & (values <= high)).mean())


def _means(runs: Sequence[Run]) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a step took on average, in ms."""
    taken: dict[tuple[str, tuple[str, ...]], list[float]] = defaultdict(list)
    for run in runs:
        for row in run.rows:
            taken[row.call.skill, row.call.conditions].append(row.end - row.start)
    return {key: float(np.nanmean(values)) for key, values in taken.items()}


def _critical_path(question: Question, means: Mapping[tuple[str, tuple[str, ...]], float]) -> float:
    """The forecast of whoever adds up averages: along the longest path, nothing between steps, no spread."""
    if question.naive is not None:
        return question.naive
    ends: dict[str, float] = {}
    for call in question.calls:
        ends[call.id] = _mean(call, means) + max((ends[name] for name in call.after), default=0.0)
    return max(ends.values()) / question.unit_ms


def _mean(call: Call, means: Mapping[tuple[str, tuple[str, ...]], float]) -> float:
    return means[call.skill, call.conditions]
