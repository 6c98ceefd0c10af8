"""What experts drew in one way or another becomes one convention."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.anatomy.drawn import one_convention
from medcxr.anatomy.pieces import largest_piece

RIGHT, LEFT, HEART = range(3)


def chest(*, left_lung_through_heart=False):
    """Return (3, 40, 40): lungs of columns 4…16 and 24…36, a heart of columns 14…28 below."""
    masks = np.zeros((3, 40, 40), dtype=np.bool_)
    masks[RIGHT, 4:30, 4:16] = True
    masks[LEFT, 4:30, 24:36] = True
    masks[HEART, 18:32, 14:28] = True
    if not left_lung_through_heart:
        masks[:HEART] &= ~masks[HEART]
    return masks


def test_lungs_end_at_the_heart():
    assert np.array_equal(one_convention(chest(left_lung_through_heart=True)), chest())


def test_what_follows_the_convention_stays_as_it_is():
    assert np.array_equal(one_convention(chest()), chest())


def test_stray_strokes_are_left_out():
    stray = chest()
    stray[HEART, 0:2, 20] = True
    stray[RIGHT, 38, 0] = True

    assert np.array_equal(one_convention(stray), chest())


@pytest.mark.parametrize("lung", [RIGHT, LEFT])
def test_a_heart_and_a_lung_whose_names_were_exchanged_are_named_rightly(lung):
    exchanged = chest()
    exchanged[[lung, HEART]] = exchanged[[HEART, lung]]

    assert np.array_equal(one_convention(exchanged), chest())


def test_a_heart_on_the_right_keeps_its_name():
    mirrored = chest()[[LEFT, RIGHT, HEART], :, ::-1]

    assert np.array_equal(one_convention(mirrored), mirrored)


def test_without_a_heart_lungs_keep_their_names():
    lungs = chest(left_lung_through_heart=True)
    lungs[HEART] = False

    assert np.array_equal(one_convention(lungs), lungs)


@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0, 1))
@settings(max_examples=100)
def test_a_lung_and_the_heart_share_no_pixel(seed, density):
    found = one_convention(np.random.default_rng(seed).random((3, 12, 12)) < density)

    assert not (found[:HEART] & found[HEART]).any()
    assert found[HEART].sum() == largest_piece(found[HEART]).sum()


def test_a_heart_that_cuts_a_lung_in_two_leaves_it_both_parts():
    masks = chest()
    masks[HEART, 18:24, 28:36] = True
    masks[LEFT] &= ~masks[HEART]

    assert np.array_equal(one_convention(masks), masks)
    assert masks[LEFT, 24:].any()
