"""Chances of things that happen or not, where each condition has few trials: partial pooling."""

import math

import numpy as np

from aos.engine.calibrate.skill.priors import Columns
from aos.engine.sampling.distributions import Floats

_COLUMN_PRECISIONS = (1.0, 0.25)
"""Prior precision of the effects of the first, second, first ... column, in log odds."""
_WORTHS = (0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 15.0)
_ROUNDS = 20
_SURE = 1e-4


def pooled_chances(happened: Floats, trials: Floats, columns: Columns) -> Floats:
    """The chance of an event under each set of conditions, from counts of all of them.

    The expectation m comes from a ridge logistic regression on the values of the conditions (crossed effects), the
    chance from the beta-binomial with it: (k m + happened) / (k + trials), k by marginal likelihood.
    Source: Skellam (1948), JRSS B 10; Griffiths (1973), Biometrics 29.
    """
    if not happened.any():
        return np.zeros(len(trials))
    expected = _expected(happened, trials, columns)
    likelihood = [_beta_binomial(worth, expected, happened, trials) for worth in _WORTHS]
    worth = _WORTHS[int(np.argmax(likelihood))]
    chances: Floats = (worth * expected + happened) / (worth + trials)
    return chances


def _expected(happened: Floats, trials: Floats, columns: Columns) -> Floats:
    """Ridge logistic regression by Newton's method."""
    design, penalty = [np.ones(len(trials))], [1e-6]
    for k in range(len(columns[0])):
        for value in sorted({row[k] for row in columns}):
            design.append(np.array([float(row[k] == value) for row in columns]))
            penalty.append(_COLUMN_PRECISIONS[k % len(_COLUMN_PRECISIONS)])
    x, ridge = np.array(design).T, np.array(penalty)
    effects = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(x @ effects, -30, 30)))
        weight = trials * chance * (1 - chance) + 1e-6
        gradient = x.T @ (happened - trials * chance) - ridge * effects
        effects = effects + np.linalg.solve(x.T @ (x * weight[:, None]) + np.diag(ridge), gradient)
    return np.clip(1 / (1 + np.exp(-np.clip(x @ effects, -30, 30))), _SURE, 1 - _SURE)


def _beta_binomial(worth: float, expected: Floats, happened: Floats, trials: Floats) -> float:
    """Log likelihood of the counts if chances vary around the expected ones like beta(k m, k (1 - m))."""
    a, b = worth * expected, worth * (1 - expected)
    return sum(
        _log_beta(a[i] + happened[i], b[i] + trials[i] - happened[i]) - _log_beta(a[i], b[i])
        for i in range(len(a))
    )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
