"""Pieces of masks are those that scipy.ndimage finds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medcxr.anatomy.pieces import fill_holes, largest_piece


@st.composite
def masks(draw):
    shape = draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random.random(shape) < draw(st.floats(0, 1))


@given(mask=masks())
@settings(max_examples=300)
def test_the_largest_piece(mask):
    pieces, count = ndimage.label(mask)
    found = largest_piece(mask)

    if not count:
        assert not found.any()
        return
    sizes = np.bincount(pieces.ravel())[1:]
    (number,) = np.unique(pieces[found])  # one piece, and all of it
    assert (pieces == number).sum() == found.sum() == sizes.max()


@given(mask=masks())
@settings(max_examples=300)
def test_holes_are_filled(mask):
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))


def test_a_piece_may_wind():
    spiral = np.array(
        [
            [1, 1, 1, 1, 1],
            [0, 0, 0, 0, 1],
            [1, 1, 1, 0, 1],
            [1, 0, 0, 0, 1],
            [1, 1, 1, 1, 1],
        ],
        dtype=bool,
    )
    assert np.array_equal(largest_piece(spiral), spiral)
    assert np.array_equal(fill_holes(spiral), spiral)
