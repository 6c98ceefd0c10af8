"""Bones: ribs, spine, collarbones, shoulder blades, humeri."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.synthetic.outlines import lung_edge
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.projection import ConeBeam
from medcxr.synthetic.tubes import Tube, add_tube

__all__ = ["SPINE_DEPTH_SHARE", "bones_mm"]

SPINE_DEPTH_SHARE = -0.62  # z of the vertebral bodies as a share of the trunk's half-depth
_N_RIBS = 12
_FRONT_END_DEG = (128, 142, 146, 147, 146, 144, 140, 130, 120, 108, 82, 62)
# angle about the body's axis, 0 at the back, at which the bone of each rib ends
_VERTEBRA_GROWTH = 1.035  # each vertebra is taller than the one above


def bones_mm(beam: ConeBeam) -> FloatArray:
    """Return the length of rays in bone, as compact bone of the same absorption."""
    p = beam.parameters
    bone = np.zeros((beam.size, beam.size), np.float32)
    _add_spine(bone, beam)
    for rib in range(_N_RIBS):
        _add_rib(bone, beam, rib)
    for sign in (-1, 1):
        _add_shoulder(bone, beam, sign)
    return bone * np.float32(p.bone_density)


def _levels(p: ThoraxParameters) -> Statistics:
    """Return the heights y of the discs between the vertebrae, from C5 down to L3."""
    heights = _VERTEBRA_GROWTH ** np.arange(18)
    below_apex = np.concatenate([[0], np.cumsum(heights)])
    unit = 0.073 * p.lung_height_mm
    return np.asarray((below_apex - below_apex[4]) * unit - 0.06 * p.lung_height_mm)


def _midline(p: ThoraxParameters, y: Statistics | FloatArray) -> Statistics:
    return np.asarray(p.scoliosis_mm * np.sin(np.pi * y / (1.2 * p.lung_height_mm)))


def _add_spine(bone: FloatArray, beam: ConeBeam) -> None:
    p = beam.parameters
    z = SPINE_DEPTH_SHARE * p.half_depth_mm
    x, y = beam.at_depth(z)
    levels = _levels(p)
    index = np.clip(np.searchsorted(levels, y) - 1, 0, len(levels) - 2)
    height = np.diff(levels)[index]
    inside = np.clip((y - levels[index]) / height, 0, 1) - 0.5  # -0.5 upper, 0.5 lower disc
    beside = np.abs(x - _midline(p, y))
    waist = 1 - 0.10 * np.cos(2 * np.pi * inside)
    half_width = np.interp(y, (-100, 0, 250, 400), (11.5, 14.0, 18.0, 23.0)) * waist
    across = beside / half_width
    body = np.sqrt(np.clip(1 - across**4, 0, 1)) * (np.abs(inside) < 0.43)
    endplate = np.exp(-(((np.abs(inside) - 0.42) / 0.035) ** 2)) * (across < 0.97)
    edge = np.exp(-(((across - 0.95) / 0.05) ** 2)) * (np.abs(inside) < 0.42)
    pedicle = _ring(beside - 0.68 * half_width, inside * height + 0.2 * height, 4.2, 5.5)
    process = np.clip(1 - (beside / 3.2) ** 2 - ((inside - 0.25) * height / 8.5) ** 2, 0, 1)
    wing = np.clip(1 - ((inside + 0.12) * height / 5) ** 2, 0, 1) * np.clip((33 - beside) / 6, 0, 1)
    total = 2.6 * np.sqrt(np.clip(1 - across**4, 0, 1)) + 1.8 * body + 1.0 * endplate
    total += 0.8 * edge + 1.5 * pedicle + 3 * np.sqrt(process)
    total += 1.2 * np.sqrt(wing) * (beside > 0.8 * half_width) * (y > -30)
    slender = np.interp(y, (-60, 70), (0.5, 1.0))  # neck and upper chest have small vertebrae
    bone += (slender * total).astype(np.float32)


def _ring(
    dx: Statistics | FloatArray, dy: Statistics | FloatArray, half_width: float, half_height: float
) -> Statistics:
    radius = np.sqrt((dx / half_width) ** 2 + (dy / half_height) ** 2)
    return np.asarray(np.exp(-(((radius - 0.85) / 0.22) ** 2)))


def _add_rib(bone: FloatArray, beam: ConeBeam, rib: int) -> None:
    """Add both ribs of a pair, each as a back part and a front part that may cross."""
    p = beam.parameters
    start = _levels(p)[4 + rib] + 3
    angles = np.radians(np.linspace(9, _FRONT_END_DEG[rib], 36))
    short = min(rib / 3, 1.0)  # the first ribs are small and lie flat
    tilt = p.rib_tilt_mm * (0.55 + 0.35 * short + 0.03 * rib)
    y = start + tilt * (1 - np.cos(angles)) / 2 - 7 * np.sin(2 * angles) * short
    wall = lung_edge(p, np.maximum(y, 2.0).astype(np.float32)).astype(np.float64) + 3
    sweep = np.sin(angles) ** (0.85 if rib > 1 else 0.75)
    depth = p.half_depth_mm - 14
    reach = np.interp(start + tilt / 2, (-10, 80), (0.55, 1.0))
    z = np.where(angles < np.pi / 2, -depth, -depth * reach) * np.cos(angles)
    half_height = np.linspace(5.6, 7.0, len(angles)) * (p.half_width_mm / 138)
    back = angles <= np.radians(96)
    for sign in (-1, 1):
        x = sign * np.maximum(wall * sweep, 17 + 20 * angles)
        points = np.stack([x + _midline(p, y) * np.cos(angles) ** 2, y, z], axis=1)
        for part in (back, angles >= np.radians(90)):
            if part.sum() < 2:
                continue
            tube = Tube(
                points=points[part],
                radius_mm=half_height[part],
                depth_mm=3.6 if part is back else 2.8,
                wall_mm=0.85,
                core=0.16,
                breadth=0.45,
            )
            add_tube(bone, beam, tube)


def _add_shoulder(bone: FloatArray, beam: ConeBeam, sign: int) -> None:
    p = beam.parameters
    w, h = p.half_width_mm, p.lung_height_mm
    socket = w + p.chest_wall_mm - 10
    front, lean = 0.62 * p.half_depth_mm, np.radians(p.arm_angle_deg)
    collarbone = [
        (0.14 * w, 0.155 * h, front),
        (0.42 * w, 0.125 * h, front + 4),
        (0.75 * w, 0.03 * h, 20),
        (socket - 2, 0.0, -5),
    ]
    arm = [
        (socket + 14 + s * np.sin(lean), 0.075 * h + s * np.cos(lean), 0.0)
        for s in (6, 70, 150, 300)
    ]
    for points, radius, wall, core in (
        (collarbone, (7.0, 5.2, 5.2, 6.0), 1.4, 0.3),
        (arm, (18.0, 12.0, 11.0, 11.0), 2.4, 0.4),
    ):
        add_tube(bone, beam, _curve(points, radius, sign=sign, wall=wall, core=core))
    _add_shoulder_blade(bone, beam, sign, socket)
    x, y = beam.at_depth(0.0)
    head = 1 - ((x - sign * (socket + 16)) ** 2 + (y - 0.07 * h) ** 2) / 25.0**2
    rim = (head > 0) & (head < 0.08)
    glenoid = _ring(x - sign * (socket - 11), y - 0.1 * h, 6.5, 18)
    bone += (11 * np.sqrt(np.clip(head, 0, 1)) + 1.5 * rim + 1.5 * glenoid).astype(np.float32)


def _add_shoulder_blade(bone: FloatArray, beam: ConeBeam, sign: int, socket: float) -> None:
    p = beam.parameters
    h, back = p.lung_height_mm, -0.72 * p.half_depth_mm
    inner = 0.87 * p.half_width_mm + p.scapula_mm
    tip = (inner + 6, 0.55 * h, back)
    outer_edge = [(socket - 12, 0.16 * h, back + 20), (inner + 22, 0.34 * h, back), tip]
    inner_edge = [tip, (inner - 4, 0.3 * h, back), (inner - 14, 0.08 * h, back)]
    spine = [
        (inner - 8, 0.14 * h, back),
        (inner + 25, 0.06 * h, back),
        (socket + 12, 0.025 * h, -20),
    ]
    coracoid = [
        (socket - 14, 0.055 * h, 0),
        (socket - 22, 0.02 * h, 20),
        (socket - 12, 0.05 * h, 30),
    ]
    for points, radius, wall, core in (
        (outer_edge, (4.0, 2.4, 2.4), 0.8, 0.5),
        (inner_edge, (2.2, 1.6, 2.0), 0.8, 0.6),
        (spine, (2.2, 3.2, 4.5), 1.0, 0.55),
        (coracoid, (4.5, 4.5, 4.0), 0.5, 0.8),
    ):
        add_tube(bone, beam, _curve(points, radius, sign=sign, wall=wall, core=core))
    _add_blade(bone, beam, np.array([*outer_edge, *inner_edge[1:]]) * (sign, 1, 1))


def _add_blade(bone: FloatArray, beam: ConeBeam, corners: Statistics) -> None:
    """Add the thin plate of the shoulder blade inside a convex outline."""
    x, y = beam.at_depth(float(corners[0, 2]))
    middle = corners.mean(axis=0)
    inside = np.full(x.shape, np.inf, np.float32)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        normal = np.array([end[1] - start[1], start[0] - end[0]])
        length = float(np.hypot(*normal))
        if length < 1:
            continue
        normal = normal / length * np.sign(normal @ (middle - start)[:2])
        inside = np.minimum(inside, (x - start[0]) * normal[0] + (y - start[1]) * normal[1])
    bone += (1.3 * np.clip(inside / 6, 0, 1)).astype(np.float32)


def _curve(
    corners_left: Sequence[tuple[float, float, float]],
    radius: tuple[float, ...],
    *,
    sign: int,
    wall: float,
    core: float,
) -> Tube:
    """Return a smooth tube through corners given for the patient's left, or their mirror image."""
    corners = np.array(corners_left) * (sign, 1, 1)
    along = np.linspace(0, 1, len(corners))
    fine = np.linspace(0, 1, 22)
    return Tube(
        points=np.asarray(PchipInterpolator(along, corners, axis=0)(fine)),
        radius_mm=np.asarray(PchipInterpolator(along, radius)(fine)),
        wall_mm=wall,
        core=core,
    )
