"""How a network's outputs become probabilities that mean what they say."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.labels import known_pairs

__all__ = [
    "MINIMUM_PER_CLASS",
    "BetaCalibration",
    "Calibration",
    "Calibrator",
    "IdentityCalibration",
    "IsotonicCalibration",
    "PlattCalibration",
    "TemperatureCalibration",
    "calibration_from_dict",
    "calibration_to_dict",
    "fit_beta",
    "fit_isotonic",
    "fit_platt",
    "fit_temperature",
]

MINIMUM_PER_CLASS = 5  # fewer examples of a class than this say nothing about a probability

_MINIMUM_SLOPE = 1e-3  # above 0, so that a higher logit is always a higher probability
_TEMPERATURES = (0.05, 20.0)  # beyond these the logits are not worth rescaling


class Calibrator(Protocol):
    """Anything that turns logits into probabilities and keeps their ranking."""

    def predict_proba(self, logits: ArrayLike) -> Statistics:
        """Return one probability, 0…1, for each logit; any shape."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCalibration:
    """The network's own sigmoid, unchanged."""

    def predict_proba(self, logits: ArrayLike) -> Statistics:
        """Return one probability, 0…1, for each logit; any shape."""
        return _sigmoid(logits)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlattCalibration:
    """A line through the logits: sigmoid(slope * logit + intercept), slope > 0."""

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (0 < self.slope < math.inf and math.isfinite(self.intercept)):
            raise DataError(
                f"Platt calibration has slope {self.slope:g} and intercept {self.intercept:g}; "
                "it needs a positive slope and finite numbers. Fit it again."
            )

    def predict_proba(self, logits: ArrayLike) -> Statistics:
        """Return one probability, 0…1, for each logit; any shape."""
        return _sigmoid(self.slope * np.asarray(logits, dtype=np.float64) + self.intercept)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaCalibration:
    """A line that bends: one slope for logits far below 0, one for those far above, both > 0.

    The log odds are low_slope * log(sigmoid(logit)) - high_slope * log(sigmoid(-logit)) +
    intercept; with equal slopes this is Platt's line.

    Source: Kull, Silva Filho and Flach 2017, "Beta calibration", section 3, where the slopes are
    called a and b.
    """

    low_slope: float
    high_slope: float
    intercept: float

    def __post_init__(self) -> None:
        slopes = (self.low_slope, self.high_slope)
        if not (all(0 < one < math.inf for one in slopes) and math.isfinite(self.intercept)):
            raise DataError(
                f"Beta calibration has slopes {self.low_slope:g} and {self.high_slope:g} and "
                f"intercept {self.intercept:g}; it needs positive slopes and finite numbers. Fit it "
                "again."
            )

    def predict_proba(self, logits: ArrayLike) -> Statistics:
        """Return one probability, 0…1, for each logit; any shape."""
        low, high = _bent(np.asarray(logits, dtype=np.float64))
        return _sigmoid(self.low_slope * low + self.high_slope * high + self.intercept)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureCalibration:
    """Logits made softer or sharper: sigmoid(logit / temperature), temperature > 0."""

    temperature: float

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise DataError(
                f"Temperature {self.temperature:g} is not a positive number; fit it again."
            )

    def predict_proba(self, logits: ArrayLike) -> Statistics:
        """Return one probability, 0…1, for each logit; any shape."""
        return _sigmoid(np.asarray(logits, dtype=np.float64) / self.temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsotonicCalibration:
    """A rising curve: straight lines between points, level beyond the first and the last.

    Attributes:
        x: logits, rising.
        y: their probabilities, 0…1, never falling.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.x))
        never_falling = all(a <= b for a, b in pairwise(self.y))
        within = all(map(math.isfinite, self.x)) and all(0 <= p <= 1 for p in self.y)
        if not (self.x and len(self.x) == len(self.y) and rising and never_falling and within):
            raise DataError(
                f"Isotonic calibration of {len(self.x)} logits and {len(self.y)} probabilities is "
                "not a rising curve within 0…1; fit it again."
            )

    def predict_proba(self, logits: ArrayLike) -> Statistics:
        """Return one probability, 0…1, for each logit; any shape."""
        values = np.asarray(logits, dtype=np.float64)
        return np.asarray(np.interp(values, self.x, self.y), dtype=np.float64)


Calibration: TypeAlias = (
    IdentityCalibration
    | PlattCalibration
    | BetaCalibration
    | TemperatureCalibration
    | IsotonicCalibration
)
"""The calibrators that a model's manifest can hold."""


def fit_platt(logits: ArrayLike, labels: ArrayLike) -> PlattCalibration:
    """Fit slope and intercept by logistic regression on Platt's smoothed targets.

    Few examples pull the probabilities toward the middle instead of to 0 and 1. Logits that rank
    the labels no better than backwards get the smallest slope allowed: nearly the base rate.

    Args:
        logits: (n_images,), of one finding.
        labels: (n_images,), 1, 0 or NaN for unknown.

    Raises:
        DataError: if there are fewer than MINIMUM_PER_CLASS examples of a class.

    Source: Platt 1999, "Probabilistic outputs for support vector machines", section 2.2.
    """
    from medcxr.evaluation.logistic import fit_line  # noqa: PLC0415 - scipy; only fitting needs it

    known, x = _calibration_set(logits, labels)
    slope, intercept = fit_line(x, _smoothed(known), minimum_slope=_MINIMUM_SLOPE)
    return PlattCalibration(slope=slope, intercept=intercept)


def fit_beta(logits: ArrayLike, labels: ArrayLike) -> BetaCalibration:
    """Fit both slopes and the intercept on Platt's smoothed targets; as `fit_platt` otherwise.

    A network that is surer on one side than on the other is neither bent straight by a line nor
    cut into steps, as by an isotonic curve, which would make ties.

    Source: Kull, Silva Filho and Flach 2017, "Beta calibration", section 3.
    """
    from medcxr.evaluation.logistic import fit_plane  # noqa: PLC0415 - scipy; only fitting needs it

    known, x = _calibration_set(logits, labels)
    slopes, intercept = fit_plane(
        np.column_stack(_bent(x)), _smoothed(known), minimum_slope=_MINIMUM_SLOPE
    )
    return BetaCalibration(low_slope=slopes[0], high_slope=slopes[1], intercept=intercept)


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> TemperatureCalibration:
    """Fit the one temperature that makes the labels most likely; as `fit_platt` otherwise.

    Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - slow to import, and only fitting needs it

    known, x = _calibration_set(logits, labels)

    def loss(log_temperature: float) -> float:
        scaled = x / math.exp(log_temperature)
        return float(np.mean(np.logaddexp(0.0, scaled) - known * scaled))

    bounds = (math.log(_TEMPERATURES[0]), math.log(_TEMPERATURES[1]))
    solution = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return TemperatureCalibration(temperature=math.exp(float(solution.x)))


def fit_isotonic(logits: ArrayLike, labels: ArrayLike) -> IsotonicCalibration:
    """Fit the never-falling curve closest to the labels; as `fit_platt` otherwise.

    It makes ties, and follows chance where examples are few: prefer Platt below about 1,000.

    Source: Zadrozny and Elkan 2002; Niculescu-Mizil and Caruana 2005, section 5, on sample size.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to import, and only fitting needs it

    known, x = _calibration_set(logits, labels)
    distinct, where, counts = np.unique(x, return_inverse=True, return_counts=True)
    shares = np.bincount(where, weights=known) / counts
    y = np.clip(isotonic_regression(shares, weights=counts).x, 0.0, 1.0)
    # Only the ends of each level stretch shape the curve.
    bends = np.ones(len(y), dtype=np.bool_)
    bends[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    return IsotonicCalibration(x=tuple(distinct[bends].tolist()), y=tuple(y[bends].tolist()))


def calibration_to_dict(calibration: Calibration) -> dict[str, object]:
    """Return a plain, JSON-able dictionary that names the kind of calibration."""
    kind = next(kind for kind, cls in _KINDS.items() if isinstance(calibration, cls))
    return {"kind": kind, **asdict(calibration)}


def calibration_from_dict(data: Mapping[str, object]) -> Calibration:
    """Read what `calibration_to_dict` wrote.

    Raises:
        DataError: if the kind is unknown, or a number is missing, superfluous or impossible.
    """
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise DataError(f"Calibration kind {kind!r} is unknown; use one of {', '.join(_KINDS)}.")
    expected = {"kind", *(field.name for field in fields(_KINDS[kind]))}
    if set(data) != expected:
        raise DataError(
            f"Calibration {kind!r} has the fields {sorted(data)}; it needs {sorted(expected)}."
        )
    if kind == "platt":
        return PlattCalibration(slope=_number(data["slope"]), intercept=_number(data["intercept"]))
    if kind == "beta":
        return BetaCalibration(
            low_slope=_number(data["low_slope"]),
            high_slope=_number(data["high_slope"]),
            intercept=_number(data["intercept"]),
        )
    if kind == "temperature":
        return TemperatureCalibration(temperature=_number(data["temperature"]))
    if kind == "isotonic":
        return IsotonicCalibration(x=_numbers(data["x"]), y=_numbers(data["y"]))
    return IdentityCalibration()


_KINDS: Mapping[str, type[Calibration]] = {
    "identity": IdentityCalibration,
    "platt": PlattCalibration,
    "beta": BetaCalibration,
    "temperature": TemperatureCalibration,
    "isotonic": IsotonicCalibration,
}


def _sigmoid(log_odds: ArrayLike) -> Statistics:
    # numpy alone: scipy.special takes a third of a second to import, which each analysis would pay
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64))))


def _bent(logits: Statistics) -> tuple[Statistics, Statistics]:
    """Return log(sigmoid(logit)), which rises below 0, and -log(sigmoid(-logit)), above it."""
    return -np.logaddexp(0.0, -logits), np.logaddexp(0.0, logits)


def _smoothed(labels: Statistics) -> Statistics:
    """Return Platt's targets, which few examples pull toward the middle."""
    n_positive = labels.sum()
    n_negative = len(labels) - n_positive
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2)
    return np.asarray(np.where(labels == 1, high, low), dtype=np.float64)


def _calibration_set(logits: ArrayLike, labels: ArrayLike) -> tuple[Statistics, Statistics]:
    known, x = known_pairs(labels, logits)
    n_positive = int(known.sum())
    n_negative = len(known) - n_positive
    if min(n_positive, n_negative) < MINIMUM_PER_CLASS:
        raise DataError(
            f"Calibration has {n_positive} positive and {n_negative} negative examples and needs "
            f"{MINIMUM_PER_CLASS} of each; use a larger calibration split or no calibration."
        )
    if x.min() == x.max():
        raise DataError(
            f"All {len(x)} logits are {x[0]:g}, so nothing can be calibrated; check the model."
        )
    return known, x


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"Calibration holds {value!r} where a number belongs; fit it again.")
    return float(value)


def _numbers(values: object) -> tuple[float, ...]:
    if not isinstance(values, list | tuple):
        raise DataError(f"Calibration holds {values!r} where numbers belong; fit it again.")
    return tuple(_number(value) for value in values)
