"""How the evidence for a finding is divided among the zones of the chest."""

from collections.abc import Mapping

import numpy as np

from medcxr.anatomy.zones import ELSEWHERE
from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.language import say, text

__all__ = ["evidence_by_zone", "main_zone"]

_WORDS = {
    "heart and behind it": text("{share:.0%} of the evidence for {finding} lies over the heart."),
    ELSEWHERE: text("{share:.0%} of the evidence for {finding} lies outside lungs and heart."),
}


def evidence_by_zone(
    evidence: FloatArray, zones: Mapping[str, BoolArray]
) -> dict[str, float] | None:
    """Return the share of each zone in what speaks for a finding.

    A token's evidence lies evenly over the pixels that it covers. Evidence over the padding of the
    model's input, where there is nothing to see, counts for no zone and lowers all shares.

    Args:
        evidence: (grid, grid), signed evidence over the model's whole input; only what speaks for
            the finding counts.
        zones: zone -> (size, size), not overlapping.

    Returns:
        Zone -> share, 0…1, together at most 1; None where nothing speaks for the finding.
    """
    favorable = np.clip(evidence.astype(np.float64), 0, None)
    total = favorable.sum()
    if not zones or total <= 0:
        return None
    shares = {}
    for name, zone in zones.items():
        covered = _mean_by_token(zone, evidence.shape[0])
        shares[name] = float((favorable * covered).sum() / total)
    return shares


def main_zone(finding: str, shares: Mapping[str, float]) -> str:
    """Say in a sentence where most of the evidence lies.

    Args:
        finding: its name.
        shares: of at least one zone, as `evidence_by_zone` returns them.
    """
    zone, share = max(shares.items(), key=lambda item: item[1])
    if zone in _WORDS:
        return say(_WORDS[zone], share=share, finding=say(finding))
    return say(
        "{share:.0%} of the evidence for {finding} lies in the {zone} zone.",
        share=share,
        finding=say(finding),
        zone=say(zone),
    )


def _mean_by_token(zone: BoolArray, grid: int) -> FloatArray:
    """(size, size) -> (grid, grid): the share of each token's pixels that lie in the zone."""
    size = zone.shape[0]
    token = np.arange(size) * grid // size
    starts = np.searchsorted(token, np.arange(grid))
    sums = np.add.reduceat(np.add.reduceat(zone.astype(np.float64), starts, axis=0), starts, axis=1)
    sides = np.bincount(token, minlength=grid)
    return np.asarray(sums / np.outer(sides, sides), dtype=np.float64)
