"""Soft tissue outside the lungs: trunk, shoulders, neck, arms, breasts; gas in the belly."""

import numpy as np

from medcxr.core.arrays import FloatArray
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.projection import ConeBeam
from medcxr.synthetic.tubes import Tube, add_tube

__all__ = ["body_mm", "breasts_mm", "gut_gas_mm"]


def body_mm(beam: ConeBeam) -> FloatArray:
    """Return the length of rays between the skin of front and back, as if all were filled."""
    p = beam.parameters
    x, y = beam.at_depth(0.0)
    trunk = _trunk(p, x, y)
    neck = 2 * 56 * np.sqrt(np.clip(1 - (x / (0.40 * p.half_width_mm)) ** 2, 0, 1))
    neck = neck * (1 - np.clip((y - 10) / 60, 0, 1))
    arms = np.zeros_like(x)
    shoulder = p.half_width_mm + p.chest_wall_mm + 12
    for sign in (-1, 1):
        lean = np.radians(p.arm_angle_deg)
        steps = np.linspace(0, 300, 10)
        points = np.stack(
            [sign * (shoulder + steps * np.sin(lean)), 22 + steps * np.cos(lean), 0 * steps], axis=1
        )
        radius = np.linspace(44 + 0.25 * p.chest_wall_mm, 32 + 0.25 * p.chest_wall_mm, 10)
        add_tube(arms, beam, Tube(points=points, radius_mm=radius))
    joined = np.maximum(trunk**4 + neck**4 + arms**4, 1e-6) ** 0.25
    return np.where(joined < 0.5, 0, joined).astype(np.float32)


def _trunk(p: ThoraxParameters, x: FloatArray, y: FloatArray) -> FloatArray:
    chest = p.half_width_mm + p.chest_wall_mm
    shoulder = chest + 42
    half_width = np.interp(
        y,
        (-60, 10, 50, 105, 0.6 * p.lung_height_mm, 1.3 * p.lung_height_mm),
        (shoulder - 25, shoulder, shoulder - 10, chest + 15, chest + 1, 0.98 * chest),
    )
    half_depth = np.interp(
        y, (-60, 0, 60, 130, 300), np.array((0.5, 0.72, 0.88, 1.0, 1.04)) * p.half_depth_mm
    )
    across = np.clip(np.abs(x) / half_width, 0, 1)
    # the upper border falls from the neck over the trapezius to the shoulder
    outward = np.clip(np.abs(x) / shoulder, 0, 1.2)
    upper = -88 + 84 * np.clip((outward - 0.28) / 0.62, 0, 1) ** 0.75
    upper = upper + 45 * np.clip((outward - 0.8) / 0.2, 0, 1.2) ** 2
    inside = np.clip((y - upper) / 95, 0, 1)
    top = np.sqrt(1 - (1 - inside) ** 2)
    return np.asarray(2 * half_depth * np.sqrt(1 - across**2.6) * top)


def breasts_mm(beam: ConeBeam) -> FloatArray:
    """Return the projected thickness of the breasts: soft above, sharp below."""
    p = beam.parameters
    total = np.zeros((beam.size, beam.size), np.float32)
    if p.breast_mm <= 0:
        return total
    x, y = beam.at_depth(p.half_depth_mm)
    radius = 0.42 * p.half_width_mm + 0.25 * p.breast_mm
    for sign in (-1, 1):
        across = (x - sign * 0.60 * p.half_width_mm) / radius
        down = y - (0.74 * p.lung_height_mm + 0.3 * p.breast_mm)
        down = np.where(down > 0, down / (0.72 * radius), down / (1.25 * radius))
        share = np.clip(1 - across**2 - down**2, 0, 1)
        rise = np.clip(down + 1, 0, 1)
        fade = rise**2 * (3 - 2 * rise)
        total += (p.breast_mm * np.sqrt(share) * fade).astype(np.float32)
    return total


def gut_gas_mm(beam: ConeBeam, rng: np.random.Generator) -> FloatArray:
    """Return the length of rays in gas of stomach and bowel."""
    p = beam.parameters
    x, y = beam.at_depth(0.0)
    gas = np.zeros_like(x)
    left_dome = p.lung_height_mm - p.left_dome_mm
    if p.stomach_gas_mm > 0:
        half = p.stomach_gas_mm
        across = (x - 0.47 * p.half_width_mm) / half
        down = (y - (left_dome + 9 + 0.42 * half)) / (0.42 * half)
        flat = np.clip((0.45 - down) / 0.15, 0, 1)  # a fluid level closes the bubble below
        gas += 1.5 * half * np.sqrt(np.clip(1 - across**2 - down**2, 0, 1)) * flat
    n_loops = int(rng.integers(3, 9) * p.bowel_gas)
    for _ in range(n_loops):
        at_x = rng.uniform(-0.55, 0.85) * p.half_width_mm
        at_y = p.lung_height_mm + rng.uniform(15, 90)
        size = rng.uniform(7, 20)
        turn = rng.uniform(0, np.pi)
        along = (x - at_x) * np.cos(turn) + (y - at_y) * np.sin(turn)
        beside = (y - at_y) * np.cos(turn) - (x - at_x) * np.sin(turn)
        share = np.clip(1 - (along / (1.6 * size)) ** 2 - (beside / size) ** 2, 0, 1)
        gas += 1.1 * size * share
    return gas.astype(np.float32)
