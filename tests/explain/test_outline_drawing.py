"""Outlines and widths lie where they were found."""

import numpy as np

from medcxr.core.geometry import Geometry
from medcxr.core.results import Span
from medcxr.explain.outline_drawing import OUTLINE_COLORS, draw_outlines

SIZE = 64


def test_a_line_runs_around_the_organ_and_nothing_else_changes():
    shares = np.zeros((SIZE, SIZE), dtype=np.float32)
    shares[20:40, 16:48] = 1
    geometry = Geometry(original_shape=(64, 64), model_size=SIZE, content=(0, 0, 64, 64))
    pixels = np.full((64, 64), 0.5, dtype=np.float32)

    picture = draw_outlines(pixels, {"heart": shares}, geometry)

    colored = (picture == OUTLINE_COLORS["heart"]).all(axis=2)
    expected = np.zeros((64, 64), dtype=bool)
    expected[20:40, 16:48] = True
    expected[21:39, 17:47] = False
    assert np.array_equal(colored, expected)
    assert (picture[~colored] == 128).all()


def test_a_padded_original_is_drawn_at_its_own_scale():
    shares = np.zeros((SIZE, SIZE), dtype=np.float32)
    shares[16:48, 32:48] = 1  # the image's right half, in the lower of its two rows of quarters
    geometry = Geometry(original_shape=(320, 160), model_size=SIZE, content=(0, 16, 64, 48))
    pixels = np.zeros((320, 160), dtype=np.float32)

    picture = draw_outlines(pixels, {"left lung": shares}, geometry)

    rows, columns = np.nonzero(picture.any(axis=2))
    assert abs(rows.min() - 80) <= 3
    assert abs(rows.max() - 239) <= 3
    assert abs(columns.min() - 80) <= 3
    assert columns.max() == 159


def test_spans_are_drawn_from_start_to_stop_also_on_a_smaller_copy():
    geometry = Geometry(original_shape=(400, 400), model_size=SIZE, content=(0, 0, 64, 64))
    pixels = np.zeros((200, 200), dtype=np.float32)

    picture = draw_outlines(pixels, {}, geometry, [Span(row=100.0, start=40.0, stop=300.0)])

    rows, columns = np.nonzero(picture.any(axis=2))
    assert (columns.min(), columns.max()) == (20, 150)
    assert 44 <= rows.min() <= 50 <= rows.max() <= 56
