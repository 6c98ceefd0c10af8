"""Logistic regression of a label on a number or two: for calibration and Cox's recalibration."""

import numpy as np
from scipy.special import expit

from medcxr.core.arrays import Statistics

__all__ = ["fit_line", "fit_plane", "refit_intercepts", "refit_slopes"]

_MAX_STEPS = 25  # Newton from a close start needs three to five
_TOLERANCE = 1e-9


def fit_line(
    x: Statistics, targets: Statistics, *, minimum_slope: float = -np.inf
) -> tuple[float, float]:
    """Return the slope and intercept of the most likely log odds = slope * x + intercept.

    Args:
        x: (n,), finite and not all equal.
        targets: (n,), 0…1.
        minimum_slope: the slope is at least this.
    """
    (slope,), intercept = fit_plane(x[:, np.newaxis], targets, minimum_slope=minimum_slope)
    return slope, intercept


def fit_plane(
    x: Statistics, targets: Statistics, *, minimum_slope: float = -np.inf
) -> tuple[tuple[float, ...], float]:
    """Return slopes and intercept of the most likely log odds = slopes * x + intercept.

    Args:
        x: (n, n_slopes), finite, no column all equal.
        targets: (n,), 0…1.
        minimum_slope: each slope is at least this.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to import, and only fitting needs it

    center, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - center) / spread  # a common scale keeps the optimizer's steps well conditioned

    def loss(plane: Statistics) -> tuple[float, Statistics]:
        log_odds = z @ plane[:-1] + plane[-1]
        residuals = expit(log_odds) - targets
        value = float(np.mean(np.logaddexp(0.0, log_odds) - targets * log_odds))
        return value, np.append(residuals @ z, residuals.sum()) / len(targets)

    least = minimum_slope * spread
    solution = minimize(
        loss,
        np.append(np.maximum(0.0, least), 0.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[*((low, None) for low in least), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
    ).x
    slopes = np.maximum(solution[:-1] / spread, minimum_slope)
    intercept = float(solution[-1] - slopes @ center)
    return tuple(float(slope) for slope in slopes), intercept


def refit_slopes(
    x: Statistics, labels: Statistics, weights: Statistics, *, start: tuple[float, float]
) -> Statistics:
    """Return the slope of each resample's own line, by Newton's method.

    Args:
        x: (n,), finite.
        labels: (n,), 1 or 0.
        weights: (n_resamples, n), how often each example was drawn.
        start: slope and intercept of the whole sample, close to every resample's.

    Returns:
        (n_resamples,), NaN where a resample does not determine its slope.
    """
    lines = np.tile(np.asarray(start, dtype=np.float64), (len(weights), 1))
    powers = np.stack([np.ones_like(x), x, x * x], axis=1)  # (n, 3)
    step = np.full_like(lines, np.inf)
    for _ in range(_MAX_STEPS):
        expected = expit(lines[:, :1] * x + lines[:, 1:])
        gradient = (weights * (labels - expected)) @ powers[:, :2]
        curvature = (weights * (expected * (1.0 - expected))) @ powers
        step = _solve(curvature, gradient)
        lines = lines + np.nan_to_num(step)
        if not np.any(np.abs(step) > _TOLERANCE):  # NaN: no slope, however long it runs
            break
    settled = (np.abs(step) <= _TOLERANCE).all(axis=1)
    return np.where(settled, lines[:, 0], np.nan)


def refit_intercepts(
    x: Statistics, labels: Statistics, weights: Statistics, *, start: float
) -> Statistics:
    """Return each resample's intercept when the slope is 1; as `refit_slopes` otherwise."""
    intercepts = np.full(len(weights), start)
    step = np.full(len(weights), np.inf)
    observed = weights @ labels
    for _ in range(_MAX_STEPS):
        expected = expit(x + intercepts[:, None])
        gradient = observed - (weights * expected).sum(axis=1)
        curvature = (weights * (expected * (1.0 - expected))).sum(axis=1)
        step = np.full(len(weights), np.nan)
        np.divide(gradient, curvature, out=step, where=curvature > 0)
        intercepts = intercepts + np.nan_to_num(step)
        if not np.any(np.abs(step) > _TOLERANCE):
            break
    return np.where(np.abs(step) <= _TOLERANCE, intercepts, np.nan)


def _solve(curvature: Statistics, gradient: Statistics) -> Statistics:
    """Solve every resample's 2 x 2 Newton system; NaN where it is singular."""
    total, first, second = curvature.T
    determinant = total * second - first * first
    step = np.full_like(gradient, np.nan)
    # Relative to the products it is the difference of: beyond that it is rounding error.
    solvable = determinant > 1e-12 * total * second
    np.divide(
        total * gradient[:, 1] - first * gradient[:, 0], determinant, out=step[:, 0], where=solvable
    )
    np.divide(
        second * gradient[:, 0] - first * gradient[:, 1],
        determinant,
        out=step[:, 1],
        where=solvable,
    )
    return step
