"""Measures in words."""

from medcxr.core.results import Anatomy

__all__ = ["told_ratio"]


def told_ratio(anatomy: Anatomy) -> str:
    """Return the cardiothoracic ratio with its margin, or why it is missing or doubtful."""
    ratio, margin, doubts = (
        anatomy.cardiothoracic_ratio,
        anatomy.ratio_margin,
        "; ".join(anatomy.doubts),
    )
    if ratio is None:
        return f"not measured ({doubts})" if doubts else "not measured"
    if doubts:
        return f"{ratio:.2f} (not to be trusted: {doubts})"
    return f"{ratio:.2f}" if margin is None else f"{ratio:.2f} ± {margin:.2f}"
