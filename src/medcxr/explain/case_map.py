"""A case among the cases of a data set, as the model sees them."""

from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics

__all__ = ["Placement", "place_among"]

_LEAST_SPREAD = 1e-6  # of a number over the cases: less says nothing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Cases on a plane, and those that are most like one of them.

    Attributes:
        across: (n,), the finding's logit: a threshold is a vertical line, exactly.
        up: (n,), the direction in which the cases' evidence varies most beside the logit, in
            standard deviations.
        case: (across, up) of the case.
        spread_shown: share of the variance beside the logit that `up` shows, 0…1.
        neighbors: indices of the most similar cases, the nearest first.
        distances: (n_neighbors,), theirs from the case, where a distance of 1 is usual between two
            cases.
    """

    across: Statistics
    up: Statistics
    case: tuple[float, float]
    spread_shown: float
    neighbors: tuple[int, ...]
    distances: Statistics


def place_among(
    logits: FloatArray,
    evidence: FloatArray,
    case_logit: float,
    case_evidence: FloatArray,
    *,
    n_neighbors: int,
) -> Placement:
    """Place a case among others by what the model found in them.

    Cases are described by their evidence, pooled over places and findings, each number in standard
    deviations. Across is the logit itself. What of the description goes along with the logit is
    taken out, and the first principal component of the rest goes up. Neighbors are found in the
    whole description, not on the plane.

    Args:
        logits: (n,), of the finding.
        evidence: (n, numbers), what describes each case.
        case_logit: of the case.
        case_evidence: (numbers,), likewise.
        n_neighbors: how many of the most similar cases to name.

    Source: Jolliffe 2002, "Principal component analysis", section 3.5 (by singular values).
    """
    values = evidence.astype(np.float64)
    center, spread = values.mean(axis=0), values.std(axis=0)
    told = spread > _LEAST_SPREAD
    described = (values[:, told] - center[told]) / spread[told]
    case = (case_evidence.astype(np.float64)[told] - center[told]) / spread[told]
    across = logits.astype(np.float64)
    along = across - across.mean()
    slopes = along @ described / max(float(along @ along), _LEAST_SPREAD)
    rest = described - np.outer(along, slopes)
    _, strengths, axes = np.linalg.svd(rest, full_matrices=False)
    axis = axes[0] * np.sign(
        axes[0][np.abs(axes[0]).argmax()]
    )  # a sign that does not depend on luck
    up = rest @ axis
    unit = float(up.std()) or 1.0
    case_rest = case - (case_logit - across.mean()) * slopes
    apart = np.sqrt(((described - case) ** 2).mean(axis=1) / 2)
    order = np.argsort(apart, kind="stable")[:n_neighbors]
    total = float((strengths**2).sum())
    return Placement(
        across=across,
        up=up / unit,
        case=(case_logit, float(case_rest @ axis) / unit),
        spread_shown=float(strengths[0] ** 2) / total if total > 0 else 0.0,
        neighbors=tuple(order.tolist()),
        distances=apart[order],
    )
