"""What lies on a radiograph beside the patient: side marker, collimation, leads."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import BoolArray, FloatArray, Pixels
from medcxr.synthetic.projection import ConeBeam
from medcxr.synthetic.tubes import Tube, add_tube

__all__ = ["add_marker", "leads_mm", "open_field"]


def open_field(beam: ConeBeam) -> BoolArray:
    """Return the part of the detector that the collimator leaves open."""
    top, left, bottom, right = beam.parameters.markings.collimation
    at = (np.arange(beam.size) + 0.5) / beam.size
    rows, columns = (at >= top) & (at <= 1 - bottom), (at >= left) & (at <= 1 - right)
    return rows[:, None] & columns[None, :]


def leads_mm(beam: ConeBeam, rng: np.random.Generator) -> FloatArray:
    """Return the thickness of monitoring leads on the chest: a button and a wire each."""
    p = beam.parameters
    metal = np.zeros((beam.size, beam.size), np.float32)
    for _ in range(p.markings.n_leads):
        start = np.array(
            [rng.uniform(-0.8, 0.8) * p.half_width_mm, rng.uniform(0.1, 0.9) * p.lung_height_mm]
        )
        end = np.array(
            [np.sign(start[0]) * 1.3 * p.half_width_mm, start[1] + rng.uniform(-120, 160)]
        )
        steps = np.linspace(0, 1, 24)[:, None]
        sag = rng.uniform(-30, 30) * np.sin(np.pi * steps) + rng.uniform(-14, 14) * np.sin(
            2 * np.pi * steps
        )
        line = start + steps * (end - start) + sag * (0.4, 1.0)
        front = np.full((len(line), 1), p.half_depth_mm)
        wire = Tube(
            points=np.hstack([line, front]), radius_mm=np.full(len(line), 0.45), depth_mm=0.10
        )
        add_tube(metal, beam, wire)
        button = np.hstack([np.stack([start, start + 0.2]), front[:2]])
        add_tube(metal, beam, Tube(points=button, radius_mm=np.full(2, 4.6), depth_mm=0.22))
        add_tube(metal, beam, Tube(points=button, radius_mm=np.full(2, 2.0), depth_mm=0.5))
    return metal


def add_marker(pixels: Pixels, beam: ConeBeam) -> Pixels:
    """Return the image with its side marker and caption."""
    markings = beam.parameters.markings
    if not markings.marker:
        return pixels
    size = beam.size
    canvas = Image.new("L", (size, size))
    draw = ImageDraw.Draw(canvas)
    row, column = (share * size for share in markings.marker_at)
    letter = max(size / 20, 8)
    draw.text((column, row), markings.marker, 255, ImageFont.load_default(letter), anchor="mm")
    if markings.framed:
        around = (
            column - 0.8 * letter,
            row - 0.8 * letter,
            column + 0.8 * letter,
            row + 0.8 * letter,
        )
        draw.ellipse(around, outline=255, width=max(size // 200, 1))
    if markings.caption:
        below = (column, row + 1.15 * letter)
        draw.text(below, markings.caption, 230, ImageFont.load_default(letter / 2), anchor="mm")
    drawn = np.asarray(canvas, np.float32) / 255
    return np.maximum(pixels, drawn * np.float32(0.97))
