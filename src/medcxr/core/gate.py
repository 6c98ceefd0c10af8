"""What an image can be before anybody looks for findings in it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ImageKind", "ImageVerdict"]


class ImageKind(StrEnum):
    """What the gate tells apart; the order is that of its outputs."""

    FRONTAL = "frontal"
    MIRRORED = "mirrored"
    TURNED_LEFT = "turned left"
    UPSIDE_DOWN = "upside down"
    TURNED_RIGHT = "turned right"
    INVERTED = "inverted"
    CUT = "cut"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageVerdict:
    """Whether an image is an upright frontal chest radiograph.

    Attributes:
        kind: the most probable kind of image.
        probability: that it is an upright frontal chest radiograph, mirrored or not; 0…1.
        accepted: whether it may be analyzed.
        reason: why not and what to do; empty if it may be.
        warnings: sentences for the reader about an accepted image.
    """

    kind: ImageKind
    probability: float
    accepted: bool
    reason: str = ""
    warnings: tuple[str, ...] = ()
