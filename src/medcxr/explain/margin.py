"""How far an answer is from its opposite, in words."""

from medcxr.core.results import FindingResult

__all__ = ["told_distance", "told_margin"]


def told_margin(found: FindingResult) -> str:
    """Return the distance to the threshold, e.g. "9.1 points (0.42 logits) below"."""
    points = 100 * (found.probability - found.threshold)
    side = "above" if found.present else "below"
    logits = ""
    if found.threshold_logit is not None:
        logits = f" ({abs(found.logit - found.threshold_logit):.2f} logits)"
    return f"{abs(points):.1f} points{logits} {side}"


def told_distance(found: FindingResult) -> str:
    """Say in a sentence how far an answer is from its opposite."""
    return (
        f"{found.finding}: {found.probability:.1%}, {told_margin(found)} its threshold of "
        f"{found.threshold:.1%}."
    )
