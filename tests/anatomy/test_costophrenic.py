"""Costophrenic angles are those of corners that were drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.anatomy.costophrenic import costophrenic_degrees

SIZE = 224


def lung(degrees, *, wall_degrees=4.0, pixel=(1.0, 1.0), blunted=-SIZE):
    """Draw a right lung with one straight corner at row 180, column 40 (as unit pixels).

    Args:
        degrees: between chest wall and diaphragm.
        wall_degrees: by which the wall leans inward on its way up.
        pixel: height and width.
        blunted: height above the corner up to which fluid with a level top hides it.
    """
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    up, inward = (180 - rows) * pixel[0], (columns - 40) * pixel[1]
    from_vertical = np.degrees(np.arctan2(inward, up))
    inside = (from_vertical > wall_degrees) & (from_vertical < wall_degrees + degrees)
    return inside & (up < 140) & (up > blunted) & (inward < 70)


@given(degrees=st.floats(25, 100), wall=st.floats(0, 12))
@settings(max_examples=40)
def test_a_drawn_corner_has_its_angle(degrees, wall):
    drawn = lung(degrees, wall_degrees=wall)

    right = costophrenic_degrees(drawn, (1.0, 1.0), wall_is_left=True)
    left = costophrenic_degrees(drawn[:, ::-1], (1.0, 1.0), wall_is_left=False)

    assert right == pytest.approx(degrees, abs=6)  # edges lie on whole pixels
    assert left == right


@pytest.mark.parametrize("pixel", [(1.2, 0.9), (0.8, 1.1)])
def test_pixels_need_not_be_square(pixel):
    drawn = lung(45, pixel=pixel)

    assert costophrenic_degrees(drawn, pixel, wall_is_left=True) == pytest.approx(45, abs=4)
    assert abs(costophrenic_degrees(drawn, (1.0, 1.0), wall_is_left=True) - 45) > 4


def test_fluid_blunts_the_corner():
    sharp = costophrenic_degrees(lung(35), (1.0, 1.0), wall_is_left=True)
    blunt = costophrenic_degrees(lung(35, blunted=30), (1.0, 1.0), wall_is_left=True)

    assert blunt > 80 > sharp


def test_a_corner_beyond_the_image_is_not_measured():
    drawn = lung(45)

    assert costophrenic_degrees(drawn[:170], (1.0, 1.0), wall_is_left=True) is None
    assert costophrenic_degrees(drawn[:, 44:], (1.0, 1.0), wall_is_left=True) is None


def test_without_a_corner_there_is_no_angle():
    wedge = np.zeros((SIZE, SIZE), dtype=bool)
    wedge[20:24, 20:200] = True  # one edge only: nothing leads up from its corner

    assert costophrenic_degrees(wedge, (1.0, 1.0), wall_is_left=True) is None
    assert costophrenic_degrees(np.zeros_like(wedge), (1.0, 1.0), wall_is_left=True) is None
