"""Lines around regions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from medcxr.anatomy.contours import area_lines, outline_lines
from medcxr.core.geometry import Geometry

WHOLE = Geometry(original_shape=(64, 64), model_size=64, content=(0, 0, 64, 64))


def area(lines):
    """Return the area that lines enclose, holes taken off, in fractions of the image."""
    total = 0.0
    for line in lines:
        x, y = np.array(line).T
        total += 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return abs(total)


def test_a_disk_is_outlined_to_a_fraction_of_a_pixel():
    y, x = np.indices((64, 64)) + 0.5
    distance = np.hypot(y - 30, x - 34)
    (line,) = outline_lines(np.clip(20.5 - distance, 0, 1).astype(np.float32), WHOLE)
    assert line[0] == line[-1]
    radii = np.hypot(64 * np.array(line)[:, 1] - 30, 64 * np.array(line)[:, 0] - 34)
    assert radii == pytest.approx(20, abs=0.1)


def test_a_region_at_the_border_is_closed_along_it():
    shares = np.zeros((64, 64), np.float32)
    shares[:32] = 1
    (line,) = outline_lines(shares, WHOLE)
    assert line[0] == line[-1]
    assert area([line]) == pytest.approx(0.5, abs=0.01)
    assert min(y for _, y in line) == 0


def test_padding_of_the_input_is_left_out():
    # A wide image fills the middle half of the input; the region is its left half.
    geometry = Geometry(original_shape=(500, 1000), model_size=64, content=(16, 0, 48, 64))
    shares = np.zeros((64, 64), np.float32)
    shares[:, :32] = 1
    (line,) = outline_lines(shares, geometry)
    assert max(x for x, _ in line) == pytest.approx(0.5, abs=0.01)
    assert area([line]) == pytest.approx(0.5, abs=0.02)


def test_nothing_has_no_outline():
    assert outline_lines(np.zeros((64, 64), np.float32), WHOLE) == []


@given(arrays(np.bool_, (9, 11)))
def test_every_line_is_closed_and_the_area_is_that_of_the_region(mask):
    geometry = Geometry(original_shape=(9, 11), model_size=11, content=(0, 0, 9, 11))
    shares = np.zeros((11, 11), np.float32)
    shares[:9] = mask
    lines = outline_lines(shares, geometry)
    assert all(line[0] == line[-1] for line in lines)
    # Each corner of a region is cut off by half a quarter of a pixel, or filled where it is inward.
    assert abs(99 * area(lines) - mask.sum()) <= 0.5 * (mask.sum() + 1)
    assert bool(lines) == bool(mask.any())


@given(arrays(np.bool_, (6, 6)))
def test_the_edges_of_an_area_are_as_long_as_its_outline(places):
    lines = area_lines(places, WHOLE)
    length = sum(abs(x0 - x1) + abs(y0 - y1) for (x0, y0), (x1, y1) in lines)
    framed = np.pad(places, 1)
    edges = (framed[1:] != framed[:-1]).sum() + (framed[:, 1:] != framed[:, :-1]).sum()
    assert length == pytest.approx(edges / 6, abs=1e-3)


def test_an_area_in_the_padding_is_not_drawn():
    geometry = Geometry(original_shape=(500, 1000), model_size=64, content=(16, 0, 48, 64))
    places = np.zeros((8, 8), np.bool_)
    places[0, 3] = True  # rows 0 to 8 of the input, above the image
    assert area_lines(places, geometry) == []
    places[2, 3] = True  # the first rows of the image
    assert len(area_lines(places, geometry)) == 4
