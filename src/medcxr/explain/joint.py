"""What two kinds of map agree on: the evidence that a model books, and what its answer hangs on."""

import numpy as np

from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError

__all__ = ["joint_map"]


def joint_map(evidence: FloatArray, falls: FloatArray) -> FloatArray:
    """Return the mean of a finding's evidence map and its map by occlusion.

    The evidence is brought to the scale of the occlusion, so that the strongest places of both
    count alike. A place is strong where both name it: the evidence is exact about where, the
    occlusion about whether the answer hangs on it.

    Args:
        evidence: (grid, grid), signed, of the model's own map.
        falls: (places, places), by how much the logit falls when a place is hidden; places divides
            grid.

    Returns:
        (grid, grid), signed, in units of a logit's fall.

    Raises:
        DataError: the places do not divide the grid.
    """
    grid, places = evidence.shape[0], falls.shape[0]
    if grid % places:
        raise DataError(
            f"A map of {places} places per side cannot be laid over one of {grid}; make both from "
            "the same model."
        )
    spread = np.repeat(np.repeat(falls, grid // places, axis=0), grid // places, axis=1)
    strongest = float(np.abs(evidence).max())
    scale = float(np.abs(falls).max()) / strongest if strongest > 0 else 0.0
    return np.asarray((spread + scale * evidence) / 2, dtype=np.float32)
