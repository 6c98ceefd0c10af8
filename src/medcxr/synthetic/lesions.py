"""Fluid and consolidation: which share of the lung's air they take, and where."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.synthetic.airways import smooth_noise
from medcxr.synthetic.outlines import Chest
from medcxr.synthetic.parameters import Consolidation, Effusion, Side
from medcxr.synthetic.projection import ConeBeam
from medcxr.synthetic.tubes import Tube, add_tube

__all__ = ["Lesion", "consolidation_share", "effusion_share", "outline_lesion"]

_VISIBLE_SHARE = 0.3  # of the air replaced, from which a pixel belongs to the lesion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesion:
    """Where a finding is.

    Attributes:
        finding: what it is.
        mask: pixels of the finding, inside the thorax.
        box: (x, y, width, height) as shares of the image.
        center: (x, y) of the mask's center of mass as shares of the image.
        contrast: mean increase of the attenuation (in powers of e) that it causes in its mask.
    """

    finding: Finding
    mask: BoolArray
    box: tuple[float, float, float, float]
    center: tuple[float, float]
    contrast: float


def effusion_share(beam: ConeBeam, chest: Chest, effusion: Effusion) -> FloatArray:
    """Return the share of air that the fluid replaces, 0...1.

    The upper border is a meniscus: lowest in the middle of the lung and rising to the chest
    wall, less so to the mediastinum. In a lying patient (AP) it is also spread upward as a veil.
    """
    p = beam.parameters
    x, y = beam.at_depth(0.0)
    level = p.lung_height_mm - 14 - 0.5 * effusion.volume * p.lung_height_mm
    lateral = np.exp(-np.clip(chest.edge_mm - np.abs(x), 0, None) / (0.22 * p.half_width_mm))
    medial = np.exp(-np.abs(x) / (0.28 * p.half_width_mm))
    surface = level - (34 + 26 * effusion.volume) * lateral - 12 * medial
    depth = (y - surface) / effusion.softness_mm
    share = 1 / (1 + np.exp(-np.clip(1.6 * depth, -30, 30)))
    if p.view is View.AP:
        veil = 0.34 * (0.35 + effusion.volume) * np.clip((y - surface + 90) / 90, 0, 1) ** 1.5
        share = np.maximum(share, veil)
    return np.where(_same_side(x, effusion.side), share, 0).astype(np.float32)


def consolidation_share(
    beam: ConeBeam, chest: Chest, focus: Consolidation, rng: np.random.Generator
) -> FloatArray:
    """Return the share of air that the consolidation replaces, 0...1."""
    p = beam.parameters
    x, y = beam.at_depth(0.0)
    inner = 0.2 * p.half_width_mm
    at_y = np.float32(focus.height * p.lung_height_mm)
    outer = float(np.median(chest.edge_mm[np.abs(y - at_y) < 5])) - 6
    at_x = focus.side.sign * (inner + focus.lateral * (outer - inner))
    border = 0.24 * smooth_noise(beam, rng, 60.0) + 0.16 * smooth_noise(beam, rng, 22.0)
    border = np.clip(border, -0.5, 0.35)  # or the border would eat up a small focus
    stretch = rng.uniform(0.8, 1.25)
    distance = np.hypot((x - at_x) * stretch, (y - at_y) / stretch) / focus.radius_mm
    core = 1 / (1 + np.exp(np.clip((distance + border - 0.85) / 0.17, -30, 30)))
    mottle = np.clip(
        1 + 0.10 * smooth_noise(beam, rng, 14.0) + 0.07 * smooth_noise(beam, rng, 5.0), 0, 1.3
    )
    share = np.clip(focus.density * core * mottle, 0, 0.97)
    if focus.air_bronchograms:
        share = share * (1 - 0.2 * _bronchi(beam, rng, (at_x, float(at_y)), focus))
    return np.where(_same_side(x, focus.side), share, 0).astype(np.float32)


def _bronchi(
    beam: ConeBeam, rng: np.random.Generator, center: tuple[float, float], focus: Consolidation
) -> FloatArray:
    """Return 0...1 along air-filled bronchi that fan out from the hilum's side of the focus."""
    lines = np.zeros((beam.size, beam.size), np.float32)
    root = np.array([center[0] - focus.side.sign * 0.7 * focus.radius_mm, center[1] - 8, 0.0])
    for angle in rng.uniform(-0.6, 0.9, size=3):
        length = focus.radius_mm * rng.uniform(0.8, 1.3)
        steps = np.linspace(0, 1, 6)[:, None]
        heading = np.array([focus.side.sign * np.cos(angle), np.sin(angle), 0.0])
        points = root + steps * length * heading + (0, 1, 0) * (4 * steps**2)
        radius = 1.3 - 0.6 * steps[:, 0]
        add_tube(lines, beam, Tube(points=points, radius_mm=radius))
    return np.clip(lines / 3, 0, 1)


def outline_lesion(
    finding: Finding, field: BoolArray, share: FloatArray, added: FloatArray
) -> Lesion | None:
    """Say where a lesion lies in a lung field, or None where nothing of it is to be seen.

    Args:
        finding: what the lesion is.
        field: where it may be.
        share: (size, size), share of the air replaced.
        added: (size, size), attenuation that the lesion adds.
    """
    mask = (share > _VISIBLE_SHARE) & field
    labels, count = ndimage.label(mask)
    if count == 0:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    mask = np.isin(labels, 1 + np.flatnonzero(sizes >= 0.1 * sizes.max()))
    rows, columns = np.nonzero(mask)
    size = mask.shape[0]
    top, left = float(rows.min()) / size, float(columns.min()) / size
    bottom, right = (float(rows.max()) + 1) / size, (float(columns.max()) + 1) / size
    return Lesion(
        finding=finding,
        mask=mask,
        box=(left, top, right - left, bottom - top),
        center=(float((columns.mean() + 0.5) / size), float((rows.mean() + 0.5) / size)),
        contrast=float(added[mask].mean()),
    )


def _same_side(x: FloatArray, side: Side) -> BoolArray:
    return x * side.sign > 0
