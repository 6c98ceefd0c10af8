"""From thicknesses to X-ray signal: the cone beam, chords of tubes and the Beer-Lambert law.

The patient's axes: x to the patient's left, y down from the lung apex, z to the front, all in
mm. Each structure lies at a depth z and is magnified by the cone beam for that depth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.images import View
from medcxr.synthetic.parameters import ThoraxParameters

__all__ = ["CHEST_SID_MM", "LUNG_DENSITY", "ConeBeam", "Material", "attenuation", "transmission"]

LUNG_DENSITY = 0.26  # of aerated lung relative to soft tissue; ICRU Report 44, inflated lung
CHEST_SID_MM = {View.PA: 1800.0, View.AP: 1100.0}  # source to detector: upright, bedside
_GAP_MM = {View.PA: 20.0, View.AP: 45.0}  # skin to detector


class Material(StrEnum):
    """What absorbs X-rays here."""

    SOFT_TISSUE = "soft tissue"
    BONE = "bone"
    METAL = "metal"


_ENERGIES_KEV = (40.0, 50.0, 60.0, 80.0)
_PER_MM = {
    # mass attenuation x density. Source: NIST X-ray mass attenuation coefficients (Hubbell and
    # Seltzer), ICRU-44 soft tissue at 1.06 g/cm3, ICRU-44 cortical bone at 1.92 g/cm3, steel
    Material.SOFT_TISSUE: (0.0285, 0.0240, 0.0217, 0.0193),
    Material.BONE: (0.1278, 0.0814, 0.0604, 0.0428),
    Material.METAL: (2.85, 1.54, 0.94, 0.47),
}


def attenuation(material: Material, kvp: float) -> float:
    """Return the linear attenuation coefficient in 1/mm of a filtered chest beam."""
    energy = 0.45 * kvp  # effective energy of a filtered spectrum, roughly
    return float(np.exp(np.interp(energy, _ENERGIES_KEV, np.log(_PER_MM[material]))))


def transmission(thickness_mm: Mapping[Material, FloatArray], kvp: float) -> FloatArray:
    """Return the share of the beam that passes: exp(-sum of coefficient x thickness).

    Raises:
        DataError: no material was given.
    """
    if not thickness_mm:
        raise DataError("No material was given; pass at least one thickness map.")
    total = sum(
        np.float32(attenuation(material, kvp)) * thickness
        for material, thickness in thickness_mm.items()
    )
    return np.asarray(np.exp(-np.asarray(total)), np.float32)


@dataclass(frozen=True, kw_only=True)
class ConeBeam:
    """The geometry of source, patient and a square detector of size x size pixels."""

    parameters: ThoraxParameters
    size: int

    @property
    def pixel_mm(self) -> float:
        """Size of a detector pixel."""
        return self.parameters.position.field_mm / self.size

    @property
    def center_mm(self) -> float:
        """Height y of the central ray."""
        return 0.5 * self.parameters.lung_height_mm

    def magnification(self, z: Statistics | float) -> Statistics:
        """Return how much the cone beam enlarges a structure at depth z."""
        view = self.parameters.view
        facing = 1.0 if view is View.PA else -1.0  # the chest or the back touches the detector
        distance = self.parameters.half_depth_mm - facing * np.asarray(z) + _GAP_MM[view]
        return np.asarray(CHEST_SID_MM[view] / (CHEST_SID_MM[view] - distance))

    def at_depth(self, z: float) -> tuple[FloatArray, FloatArray]:
        """Return the patient coordinates (x, y) that each pixel sees at depth z."""
        u, v = self._detector_mm
        scale = float(self.magnification(z))
        shear = z * np.tan(np.radians(self.parameters.position.yaw_deg))
        return (u / scale - shear).astype(np.float32), (v / scale + self.center_mm).astype(
            np.float32
        )

    def project(self, points: Statistics) -> Statistics:
        """Map (n, 3) patient points (x, y, z) to (n, 2) continuous (row, column)."""
        position = self.parameters.position
        scale = self.magnification(points[:, 2])
        shear = np.tan(np.radians(position.yaw_deg)) * points[:, 2]
        u, v = (points[:, 0] + shear) * scale, (points[:, 1] - self.center_mm) * scale
        sine, cosine = _sine_cosine(position.roll_deg)
        down, left = position.shift_mm
        column = (cosine * u - sine * v + left) / self.pixel_mm + self.size / 2
        row = (sine * u + cosine * v + down) / self.pixel_mm + self.size / 2
        return np.stack([row, column], axis=1)

    @cached_property
    def _detector_mm(self) -> tuple[Statistics, Statistics]:
        position = self.parameters.position
        axis = (np.arange(self.size) + 0.5 - self.size / 2) * self.pixel_mm
        down, left = position.shift_mm
        sine, cosine = _sine_cosine(position.roll_deg)
        columns, rows = axis[None, :] - left, axis[:, None] - down
        return cosine * columns + sine * rows, cosine * rows - sine * columns


def _sine_cosine(degrees: float) -> tuple[float, float]:
    return float(np.sin(np.radians(degrees))), float(np.cos(np.radians(degrees)))
