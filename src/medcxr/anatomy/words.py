"""Measures in words."""

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
        return f"{ratio:.2f}{_not_to_be_trusted(anatomy)}"
    return f"{ratio:.2f} ± {margin:.2f}"


def told_lungs(anatomy: Anatomy) -> str:
    """Return the areas of the lung fields and how they are divided between the sides."""
    right, left, share = anatomy.right_lung, anatomy.left_lung, anatomy.right_lung_share
    if right is None or left is None or share is None:
        return _untold(anatomy)
    areas = f"right {_told_area(right)}, left {_told_area(left)}; {share:.0%} of both is right"
    return areas + _not_to_be_trusted(anatomy)


def told_angles(anatomy: Anatomy) -> str:
    """Return the costophrenic angle of each side."""
    right, left = anatomy.right_lung, anatomy.left_lung
    if right is None and left is None:
        return _untold(anatomy)
    angles = f"right {_told_angle(right)}, left {_told_angle(left)}"
    return angles + _not_to_be_trusted(anatomy)


def _told_area(lung: Lung) -> str:
    if lung.area_cm2 is None:
        return f"{lung.share:.0%} of the image"
    return f"{lung.area_cm2:.0f} cm²"


def _told_angle(lung: Lung | None) -> str:
    degrees = None if lung is None else lung.costophrenic_angle_degrees
    if degrees is None:
        return "not measurable"
    return f"{degrees:.0f}°{' (blunt)' if degrees >= BLUNT_DEGREES else ''}"


def _untold(anatomy: Anatomy) -> str:
    return f"not measured ({'; '.join(anatomy.doubts)})" if anatomy.doubts else "not measured"


def _not_to_be_trusted(anatomy: Anatomy) -> str:
    return f" (not to be trusted: {'; '.join(anatomy.doubts)})" if anatomy.doubts else ""
