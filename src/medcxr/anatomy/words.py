"""Measures in words."""

from medcxr.core.language import figure, say
from medcxr.core.results import Anatomy, Lung

__all__ = ["BLUNT_DEGREES", "told_angles", "told_lungs", "told_ratio"]

BLUNT_DEGREES = 65.0
"""From here on an angle is called blunt. Of the lungs in the JSRT radiographs (nodules or nothing,
Shiraishi 2000), as outlined and measured by the program, about 1 in 100 has more."""


def told_ratio(anatomy: Anatomy) -> str:
    """Return the cardiothoracic ratio with its margin, or why it is missing or doubtful."""
    ratio, margin = anatomy.cardiothoracic_ratio, anatomy.ratio_margin
    if ratio is None:
        return _untold(anatomy)
    if anatomy.doubts or margin is None:
        return figure(ratio, ".2f") + _not_to_be_trusted(anatomy)
    return say("{ratio:.2f} ± {margin:.2f}", ratio=ratio, margin=margin)


def told_lungs(anatomy: Anatomy) -> str:
    """Return the areas of the lung fields and how they are divided between the sides."""
    right, left, share = anatomy.right_lung, anatomy.left_lung, anatomy.right_lung_share
    if right is None or left is None or share is None:
        return _untold(anatomy)
    areas = say(
        "right {right}, left {left}; {share:.0%} of both is right",
        right=_told_area(right),
        left=_told_area(left),
        share=share,
    )
    return areas + _not_to_be_trusted(anatomy)


def told_angles(anatomy: Anatomy) -> str:
    """Return the costophrenic angle of each side."""
    right, left = anatomy.right_lung, anatomy.left_lung
    if right is None and left is None:
        return _untold(anatomy)
    angles = say("right {right}, left {left}", right=_told_angle(right), left=_told_angle(left))
    return angles + _not_to_be_trusted(anatomy)


def _told_area(lung: Lung) -> str:
    if lung.area_cm2 is None:
        return say("{share:.0%} of the image", share=lung.share)
    return say("{area:.0f} cm²", area=lung.area_cm2)


def _told_angle(lung: Lung | None) -> str:
    degrees = None if lung is None else lung.costophrenic_angle_degrees
    if degrees is None:
        return say("not measurable")
    if degrees >= BLUNT_DEGREES:
        return say("{degrees:.0f}° (blunt)", degrees=degrees)
    return say("{degrees:.0f}°", degrees=degrees)


def _untold(anatomy: Anatomy) -> str:
    if not anatomy.doubts:
        return say("not measured")
    return say("not measured ({doubts})", doubts=_told_doubts(anatomy))


def _not_to_be_trusted(anatomy: Anatomy) -> str:
    if not anatomy.doubts:
        return ""
    return " " + say("(not to be trusted: {doubts})", doubts=_told_doubts(anatomy))


def _told_doubts(anatomy: Anatomy) -> str:
    return "; ".join(say(doubt) for doubt in anatomy.doubts)
