"""How far an answer is from its opposite, in words."""

from medcxr.core.language import say, text
from medcxr.core.results import FindingResult

__all__ = ["told_distance", "told_margin"]

_ABOVE = text("{points:.1f} points above")
_BELOW = text("{points:.1f} points below")
_ABOVE_BY_LOGITS = text("{points:.1f} points ({logits:.2f} logits) above")
_BELOW_BY_LOGITS = text("{points:.1f} points ({logits:.2f} logits) below")


def told_margin(found: FindingResult) -> str:
    """Return the distance to the threshold, e.g. "9.1 points (0.42 logits) below"."""
    points = 100 * (found.probability - found.threshold)
    if found.threshold_logit is None:
        words = _ABOVE if found.present else _BELOW
        return say(words, points=abs(points))
    logits = abs(found.logit - found.threshold_logit)
    words = _ABOVE_BY_LOGITS if found.present else _BELOW_BY_LOGITS
    return say(words, points=abs(points), logits=logits)


def told_distance(found: FindingResult) -> str:
    """Say in a sentence how far an answer is from its opposite."""
    return say(
        "{finding}: {probability:.1%}, {margin} its threshold of {threshold:.1%}.",
        finding=say(found.finding),
        probability=found.probability,
        margin=told_margin(found),
        threshold=found.threshold,
    )
