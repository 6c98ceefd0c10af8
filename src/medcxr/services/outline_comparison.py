"""The outlines of a model beside those that an expert drew on the same radiograph."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medcxr.anatomy.drawn import one_convention
from medcxr.anatomy.measuring import HEART, LEFT_LUNG, RIGHT_LUNG, organ_masks
from medcxr.core.arrays import BoolArray, FloatArray, Pixels
from medcxr.core.errors import DataError
from medcxr.core.geometry import Geometry
from medcxr.core.images import CxrImage
from medcxr.datasets.outline_tables import ORGAN_BITS
from medcxr.explain.outline_drawing import in_original

__all__ = ["MEASURED_ORGANS", "Agreement", "OutlinedCase", "compare_outlines"]

MEASURED_ORGANS = (RIGHT_LUNG, LEFT_LUNG, HEART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How near the outlines of a radiograph come to an expert's.

    Attributes:
        dice_lungs: Dice coefficient of both lungs together.
        dice_heart: that of the heart.
        ratio: cardiothoracic ratio that the model's outlines measure; NaN if none.
        expert_ratio: that of the expert's outlines; NaN if none.
    """

    dice_lungs: float
    dice_heart: float
    ratio: float
    expert_ratio: float

    @property
    def dice(self) -> float:
        """Return the mean of lungs and heart."""
        return (self.dice_lungs + self.dice_heart) / 2

    @property
    def ratio_error(self) -> float:
        """Return by how much the ratios differ; NaN if either is missing."""
        return abs(self.ratio - self.expert_ratio)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutlinedCase:
    """A radiograph with both outlines.

    Attributes:
        image_path: as in its table.
        pixels: (rows, columns), 0…1.
        found: (3, rows, columns), right lung, left lung and heart as the model outlines them.
        drawn: (3, rows, columns), the same as the expert does, with lungs that end at the heart.
        agreement: of the two.
    """

    image_path: str
    pixels: Pixels
    found: BoolArray
    drawn: BoolArray
    agreement: Agreement


def compare_outlines(
    image_path: str,
    image: CxrImage,
    mask: CxrImage,
    outlines: Mapping[str, FloatArray],
    geometry: Geometry,
    *,
    ratio: float | None,
) -> OutlinedCase:
    """Compare what a model outlines with an expert's mask, organ by organ as they are measured.

    Args:
        image_path: as in its table.
        image: the radiograph.
        mask: a bit field of organs, of the same shape or a scaled copy.
        outlines: organ -> (size, size), 0…1, over the model's input.
        geometry: where the radiograph lies in the model's input.
        ratio: cardiothoracic ratio that these outlines measure.

    Raises:
        DataError: the mask does not hold two lungs.
    """
    bits = np.rint(mask.pixels * 255).astype(np.uint8)  # a mask is a file of 8 bits
    drawn = np.stack([(bits & bit) > 0 for bit in ORGAN_BITS])
    if not drawn[:2].any(axis=(1, 2)).all():
        raise DataError(
            f"The mask of {image_path} is no bit field of organs (1 right lung, 2 left lung, "
            "4 heart); leave its table out."
        )
    drawn = one_convention(drawn)
    shares = np.stack([outlines[organ] for organ in MEASURED_ORGANS])
    found = np.stack(
        [
            in_original(one.astype(np.float32), geometry, mask.shape) > 0.5
            for one in organ_masks(shares, MEASURED_ORGANS)
        ]
    )
    return OutlinedCase(
        image_path=image_path,
        pixels=image.pixels,
        found=found,
        drawn=drawn,
        agreement=Agreement(
            dice_lungs=_dice(found[0] | found[1], drawn[0] | drawn[1]),
            dice_heart=_dice(found[2], drawn[2]),
            ratio=float("nan") if ratio is None else ratio,
            expert_ratio=_ratio(drawn),
        ),
    )


def _dice(one: BoolArray, other: BoolArray) -> float:
    """Return the Dice coefficient of two masks; 1 if both are empty."""
    total = int(one.sum() + other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0


def _ratio(masks: BoolArray) -> float:
    """Return width of the heart over that of the thorax in whole pixels; NaN without either."""
    whole = organ_masks(masks.astype(np.float32), MEASURED_ORGANS)
    heart, thorax = (np.flatnonzero(one.any(axis=0)) for one in (whole[2], whole[:2].any(axis=0)))
    if not heart.size or not thorax.size:
        return float("nan")
    return float((heart[-1] - heart[0] + 1) / (thorax[-1] - thorax[0] + 1))
