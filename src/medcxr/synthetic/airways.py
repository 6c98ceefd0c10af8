"""What is inside the lungs: branching vessels, windpipe and main bronchi, fine texture."""

import numpy as np
from scipy import ndimage

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.synthetic.parameters import Side
from medcxr.synthetic.projection import ConeBeam
from medcxr.synthetic.tubes import Tube, add_tube, segments_mm

__all__ = ["airways_mm", "lung_texture", "smooth_noise", "vessels_mm"]

_SMALLEST_MM = 0.38  # radius at which a vessel is no longer drawn
_PIECES = 3  # straight pieces of a branch
# (direction in degrees below the horizontal, radius in mm) of the vessels leaving a hilum
_TRUNKS = (
    (-80, 4.6),
    (-58, 4.3),
    (-30, 3.6),
    (-5, 3.4),
    (22, 4.0),
    (48, 4.8),
    (66, 5.2),
    (84, 4.6),
)


def vessels_mm(beam: ConeBeam, rng: np.random.Generator) -> FloatArray:
    """Return the length of rays in the vessels of both lungs."""
    p = beam.parameters
    total = np.zeros((beam.size, beam.size), np.float32)
    for side in Side:
        higher = 0.02 if side is Side.LEFT else 0.0  # the left hilum stands higher
        start = np.array(
            [side.sign * 1.25 * p.mediastinum_mm, (0.425 - higher) * p.lung_height_mm, 0]
        )
        for direction, radius in _TRUNKS:
            root = start + np.array([rng.normal(0, 3), rng.normal(0, 6) + 0.12 * direction, 0])
            angle = np.radians(direction + rng.normal(0, 6))
            width = radius * p.vessel_size * rng.uniform(0.85, 1.15)
            tree = _grow(rng, side, root, angle, width * p.lung_height_mm / 255)
            total += segments_mm(beam, *tree)
        steps = np.linspace(0, 1, 10)
        across = start[0] + side.sign * (2 + 13 * steps**1.5)
        descending = np.stack([across, start[1] - 10 + 62 * steps, 0 * steps], axis=1)
        radii = (8.0 - 3.2 * steps) * p.vessel_size
        add_tube(total, beam, Tube(points=descending, radius_mm=radii))
        _add_ends_on(total, beam, rng, side, start)
    return total


def _grow(
    rng: np.random.Generator, side: Side, root: Statistics, angle: float, radius: float
) -> tuple[Statistics, Statistics, Statistics]:
    """Return a branching tree as segments: starts (n, 3), ends (n, 3) and radii (n,).

    All branches of a generation are drawn together: each bends a little, then parts in two, the
    thinner of which leaves at the larger angle.
    """
    starts, angles, radii = root[None, :], np.array([angle]), np.array([radius])
    segments: list[tuple[Statistics, Statistics, Statistics]] = []
    while len(radii):
        length = (10 + 3.6 * radii) * rng.uniform(0.75, 1.3, len(radii)) / _PIECES
        bend, rise = rng.normal(0, 0.38, len(radii)), rng.normal(0, 12 / _PIECES, len(radii))
        for piece in range(_PIECES):
            heading = angles + bend * (piece + 0.5) / _PIECES
            step = np.stack(
                [side.sign * length * np.cos(heading), length * np.sin(heading), rise], axis=1
            )
            segments.append((starts, starts + step, radii * (1 - 0.15 * piece / _PIECES)))
            starts = starts + step
        angles = angles + bend
        spread = rng.uniform(0.35, 0.8, len(radii))
        major = rng.uniform(0.62, 0.85, len(radii))
        minor = (1 - major**2.6) ** (1 / 2.6)  # the cross-sections keep the flow
        starts = np.concatenate([starts, starts])
        angles = np.concatenate(
            [angles + spread * (1.15 - major), angles - spread * (1.15 - minor)]
        )
        radii = 0.94 * np.concatenate([radii * major, radii * minor])
        keep = radii > _SMALLEST_MM
        starts, angles, radii = starts[keep], angles[keep], radii[keep]
    first, last, width = (np.concatenate(column) for column in zip(*segments, strict=True))
    return first, last, width


def _add_ends_on(
    total: FloatArray, beam: ConeBeam, rng: np.random.Generator, side: Side, start: Statistics
) -> None:
    """Add vessels that run along the ray: small bright dots around the hilum."""
    for _ in range(9):
        out = start + np.array([side.sign * rng.uniform(2, 48), rng.normal(5, 28), 0])
        radius = rng.uniform(0.9, 2.2) * beam.parameters.vessel_size
        ends = np.stack([out, out + np.array([0.5, 0.5, 0])])
        tube = Tube(points=ends, radius_mm=np.full(2, radius), depth_mm=rng.uniform(3, 6))
        add_tube(total, beam, tube)


def airways_mm(beam: ConeBeam) -> FloatArray:
    """Return the length of rays in the air of the windpipe and the main bronchi."""
    p = beam.parameters
    h = p.lung_height_mm
    total = np.zeros((beam.size, beam.size), np.float32)
    fork = (2.0 - 4, 0.335 * h, -5.0)
    for points, radius in (
        ([(0.0, -0.55 * h, 8.0), (0.0, 0.0, 0.0), (-3.0, 0.2 * h, -4.0), fork], 9.0),
        ([fork, (-14.0, 0.375 * h, -8.0), (-30.0, 0.45 * h, -10.0)], 6.2),
        ([fork, (16.0, 0.375 * h, -8.0), (38.0, 0.43 * h, -12.0)], 5.6),
    ):
        line = np.array(points)
        fine = np.linspace(0, 1, 16)
        at = np.linspace(0, 1, len(line))
        smooth = np.stack([np.interp(fine, at, line[:, i]) for i in range(3)], axis=1)
        one = np.zeros_like(total)
        add_tube(one, beam, Tube(points=smooth, radius_mm=np.full(16, radius)))
        np.maximum(total, one, out=total)
    return total


def lung_texture(beam: ConeBeam, rng: np.random.Generator) -> FloatArray:
    """Return the relative fluctuation of lung density: mean 0, a few percent."""
    coarse = smooth_noise(beam, rng, 5.0)
    middle = smooth_noise(beam, rng, 2.2)
    fine = smooth_noise(beam, rng, 1.1)
    return np.asarray(0.009 * coarse + 0.014 * middle + 0.012 * fine)


def smooth_noise(beam: ConeBeam, rng: np.random.Generator, scale_mm: float) -> FloatArray:
    """Return noise of unit variance whose grain is scale_mm in size, whatever the pixel size."""
    grid = max(int(np.ceil(2 * beam.parameters.position.field_mm / scale_mm)), 8)
    coarse = ndimage.gaussian_filter(
        rng.standard_normal((grid, grid), dtype=np.float32), 1.0, mode="wrap"
    )
    coarse /= coarse.std()
    at = (np.arange(beam.size) + 0.5) * grid / beam.size - 0.5
    rows = np.repeat(at[:, None], beam.size, axis=1)
    return np.asarray(
        ndimage.map_coordinates(coarse, [rows, rows.T], order=1, mode="wrap"), np.float32
    )
