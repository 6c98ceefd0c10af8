"""Where a threshold lies among the logits."""

from medcxr.evaluation.calibration import Calibrator

__all__ = ["logit_at"]

_REACH = 40.0  # logits beyond are 0 or 1 in every float
_HALVINGS = 60  # of the reach: exact to the last digit of a float


def logit_at(calibration: Calibrator, probability: float) -> float | None:
    """Return the least logit that a calibration gives a probability of at least this.

    Calibrations never fall with the logit, so halving finds it, of one with steps too.

    Args:
        calibration: from logits to probabilities.
        probability: 0…1.

    Returns:
        The logit; None where every logit reaches the probability or none does.
    """
    low, high = -_REACH, _REACH
    at_low, at_high = calibration.predict_proba([low, high]).tolist()
    if at_low >= probability or at_high < probability:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(calibration.predict_proba([middle])[0]) >= probability:
            high = middle
        else:
            low = middle
    return high
