"""Where lungs, diaphragm, heart and mediastinum lie, and how long a ray stays in them.

Heights y are in mm below the lung apex. The lungs lie in the plane z = 0 and the heart in
front of it, so the cone beam enlarges them differently in PA and AP views.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.images import View
from medcxr.synthetic.parameters import Side, ThoraxParameters
from medcxr.synthetic.projection import ConeBeam

__all__ = ["HEART_DEPTH_MM", "Chest", "draw_chest", "lung_edge"]

HEART_DEPTH_MM = 28.0  # z of the heart's middle plane
_SUPINE_HEART = 1.05  # the heart of a lying patient is broader

# Outer edge of the lung as a share of the half-width, by height as a share of the lung's.
_EDGE_AT = (0.0, 0.012, 0.04, 0.09, 0.18, 0.32, 0.5, 0.68, 0.84, 1.0, 1.06, 1.3)
_EDGE = (0.33, 0.46, 0.56, 0.655, 0.765, 0.855, 0.92, 0.96, 0.995, 1.0, 0.99, 0.93)
_INNER_AT = (0.0, 0.012, 0.04, 0.10, 0.20, 1.3)
_INNER = (0.33, 0.235, 0.175, 0.13, 0.10, 0.08)

# Heart: distance of the border from its center by angle (0 to the patient's left, 90 down).
_HEART_ANGLES = (0, 25, 50, 90, 130, 160, 180, 205, 235, 270, 305, 335, 360)
_HEART_RADII = (0.50, 0.57, 0.50, 0.385, 0.39, 0.42, 0.44, 0.455, 0.49, 0.545, 0.485, 0.45, 0.50)


def lung_edge(parameters: ThoraxParameters, y: FloatArray) -> FloatArray:
    """Return the distance of the lung's outer edge from the midline in mm, at heights y."""
    return _along(_EDGE_AT, _EDGE, y / parameters.lung_height_mm) * np.float32(
        parameters.half_width_mm
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chest:
    """Lungs and heart as each pixel sees them.

    Attributes:
        right_lung: lung field above the diaphragm and outside heart and mediastinum, whether
            it is aerated or not.
        left_lung: the same of the patient's left.
        heart: silhouette of the heart.
        lung_mm: length of the ray inside both lungs, also behind diaphragm and heart.
        edge_mm: distance of the lung's outer edge from the midline.
        dome_mm: height y of the diaphragm's silhouette.
        heart_mm: length of the ray inside the heart.
    """

    right_lung: BoolArray
    left_lung: BoolArray
    heart: BoolArray
    lung_mm: FloatArray
    edge_mm: FloatArray
    dome_mm: FloatArray
    heart_mm: FloatArray

    @property
    def cardiothoracic_ratio(self) -> float:
        """Greatest width of the heart over the greatest inner width of the thorax, in pixels."""
        lungs = np.flatnonzero((self.right_lung | self.left_lung).any(axis=0))
        heart = np.flatnonzero(self.heart.any(axis=0))
        return float((heart[-1] - heart[0] + 1) / (lungs[-1] - lungs[0] + 1))

    def lung(self, side: Side) -> BoolArray:
        """Return the field of one lung."""
        return self.right_lung if side is Side.RIGHT else self.left_lung


def draw_chest(beam: ConeBeam) -> Chest:
    """Measure lungs, heart and mediastinum along every ray."""
    p = beam.parameters
    x, y = beam.at_depth(0.0)
    edge = lung_edge(p, y)
    inner = _along(_INNER_AT, _INNER, y / p.lung_height_mm) * np.float32(p.half_width_mm)
    dome = _dome(p, x)
    heart, heart_mm = _heart(beam)
    vessels, vessels_mm = _great_vessels(p, x, y)
    thorax_mm, below_mm = _pleural_space(p, x, y)
    # what displaces the lung partly lies behind one another, so the lengths do not add up
    displaced = (heart_mm**3 + vessels_mm**3 + below_mm**3) ** (1 / 3)
    lung_mm = np.maximum(thorax_mm - displaced, 0)
    fields = (np.abs(x) < edge) & (np.abs(x) > inner) & (y > 0) & (y < dome) & ~heart & ~vessels
    return Chest(
        right_lung=fields & (x < 0),
        left_lung=fields & (x > 0),
        heart=heart,
        lung_mm=lung_mm.astype(np.float32),
        edge_mm=edge,
        dome_mm=dome,
        heart_mm=heart_mm,
    )


def _pleural_space(
    p: ThoraxParameters, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the length of rays inside the chest wall, and of their part below the diaphragm."""
    across = np.abs(x) / np.maximum(lung_edge(p, y), 1)
    share = y / np.float32(p.lung_height_mm)
    inner = _along(_INNER_AT, _INNER, share) * np.float32(p.half_width_mm)
    apex = np.sqrt(np.clip(1 - (1 - share / 0.16) ** 2, 0, 1)) * (share > 0)
    apex = np.where(share > 0.16, 1, apex) * (0.62 + 0.38 * _ramp(share, 0.1, 0.5))
    base = 1 - _ramp(y, p.lung_height_mm - 5, p.lung_height_mm + 32)
    wall = np.sqrt(np.clip(1 - across**2.4, 0, 1))
    # only the apex is rounded on its inner side; below, heart and mediastinum bound the lung
    medial = np.sqrt(np.clip((np.abs(x) - inner) / 12, 0, 1))
    medial = medial + (1 - medial) * _ramp(share, 0.16, 0.36)
    half = (p.half_depth_mm - 20) * apex * base * wall * medial
    below = np.clip(y - _dome(p, x), 0, None)  # the dome hides the lung around its own summit
    behind = np.clip(half + 12 - 88 * np.sqrt(below / 62), 0, 2 * half)
    before = np.clip(half - 12 - 70 * np.sqrt(below / 24), 0, 2 * half)
    aerated = np.where(below > 0, np.minimum(behind + before, 2 * half), 2 * half)
    return np.asarray(2 * half), np.asarray(2 * half - aerated)


def _dome(p: ThoraxParameters, x: FloatArray) -> FloatArray:
    """Return the height y of the diaphragm's upper border at x."""
    side_dome = np.where(x < 0, p.right_dome_mm, p.left_dome_mm)
    summit = 0.41 * p.half_width_mm
    away = np.abs(x) - summit
    lateral = np.clip(away / (p.half_width_mm - summit), 0, 1.2)
    medial = np.clip(-away / summit, 0, 1)
    drop = side_dome * (0.8 * lateral**1.75 + 0.2 * lateral**6) + 0.3 * side_dome * medial**2
    return (p.lung_height_mm - side_dome + drop).astype(np.float32)


def _heart(beam: ConeBeam) -> tuple[BoolArray, FloatArray]:
    """Return the heart's silhouette and the length of rays inside it."""
    p = beam.parameters
    angles = np.radians(_HEART_ANGLES)
    border = CubicSpline(angles, _HEART_RADII, bc_type="periodic")
    fine = np.linspace(0, 2 * np.pi, 721)
    tilt = np.radians(p.heart_tilt_deg)
    reach = border(fine) * np.cos(fine + tilt)
    upright = p.heart_ratio * 2 * p.half_width_mm * (_SUPINE_HEART if p.view is View.AP else 1)
    # as a PA view magnifies heart and thorax differently, the wanted ratio is one of shadows
    shadows = _pa_magnification_ratio(p)
    width = upright / (reach.max() - reach.min()) / shadows
    height = width**0.5 * (2 * 0.43 * p.half_width_mm) ** 0.5  # large hearts grow mostly sideways
    x, y = beam.at_depth(HEART_DEPTH_MM)
    right_border = 0.29 + 0.1 * (p.heart_ratio - 0.43)  # share of the width right of the midline
    center_x = -reach.min() * width - right_border * upright
    bottom = p.lung_height_mm - p.left_dome_mm + 20
    across = (x - center_x) / width
    down = (y - (bottom - 0.40 * height)) / height
    angle = np.mod(np.arctan2(down, across) - tilt, 2 * np.pi)
    radius = np.interp(angle, fine, border(fine))
    share = (across**2 + down**2) / radius**2
    depth = min(1.05 * width, 1.5 * p.half_depth_mm)
    return share < 1, (depth * np.clip(1 - share, 0, 1) ** 0.42).astype(np.float32)


def _pa_magnification_ratio(p: ThoraxParameters) -> float:
    upright = ConeBeam(parameters=replace(p, view=View.PA), size=1)
    return float(upright.magnification(HEART_DEPTH_MM) / upright.magnification(0.0))


def _great_vessels(
    p: ThoraxParameters, x: FloatArray, y: FloatArray
) -> tuple[BoolArray, FloatArray]:
    """Return the silhouette of mediastinum and aorta, and the length of rays inside."""
    h, m, depth = p.lung_height_mm, p.mediastinum_mm, p.half_depth_mm
    right = np.interp(
        y, (-40, 0.12 * h, 0.3 * h, 0.45 * h, h), (0.75 * m, 0.85 * m, 1.05 * m, 1.15 * m, 0.9 * m)
    )
    left = np.interp(
        y, (-40, 0.12 * h, 0.3 * h, 0.5 * h, h), (0.75 * m, 0.8 * m, 0.95 * m, 1.1 * m, 0.9 * m)
    )
    side = np.where(x < 0, right, left)
    trunk_share = np.clip(1 - (np.abs(x) / side) ** 3, 0, 1)
    trunk = 1.3 * depth * trunk_share**0.75
    knob_share = _ellipse(
        x, y, center=(0.72 * m, 0.275 * h), radii=(p.aortic_knob_mm + 4, p.aortic_knob_mm + 5)
    )
    pulmonary_share = _ellipse(x, y, center=(0.75 * m, 0.41 * h), radii=(0.72 * m, 0.085 * h))
    knob = 3.2 * p.aortic_knob_mm * np.sqrt(knob_share)
    pulmonary = 1.9 * m * np.sqrt(pulmonary_share)
    aorta_at = 0.75 * m + 4 - 14 * _ramp(y, 0.3 * h, 0.95 * h)  # runs down beside the spine
    aorta_share = np.clip(1 - ((x - aorta_at) / (0.85 * p.aortic_knob_mm)) ** 2, 0, 1)
    aorta = 1.5 * p.aortic_knob_mm * np.sqrt(aorta_share) * _ramp(y, 0.27 * h, 0.36 * h)
    inside = (trunk_share > 0) | (knob_share > 0) | (pulmonary_share > 0)
    return inside, (trunk + np.maximum(knob, pulmonary) + aorta).astype(np.float32)


def _ellipse(
    x: FloatArray, y: FloatArray, *, center: tuple[float, float], radii: tuple[float, float]
) -> FloatArray:
    share = 1 - ((x - center[0]) / radii[0]) ** 2 - ((y - center[1]) / radii[1]) ** 2
    return np.asarray(np.clip(share, 0, 1))


def _ramp(values: FloatArray, low: float, high: float) -> FloatArray:
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _along(at: tuple[float, ...], values: tuple[float, ...], where: FloatArray) -> FloatArray:
    fine = np.linspace(at[0], at[-1], 400)
    return np.interp(where, fine, PchipInterpolator(at, values)(fine)).astype(np.float32)
