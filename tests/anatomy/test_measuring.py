"""Outlines become widths, a ratio and doubts."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from medcxr.anatomy.disagreement import disagreement
from medcxr.anatomy.measuring import HEART, LEFT_LUNG, RIGHT_LUNG, measure_anatomy, organ_masks
from medcxr.core.geometry import Geometry
from medcxr.core.images import View
from medcxr.core.results import Anatomy
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.synthetic import sample_parameters, simulate

SIZE = 128
ORGANS = (RIGHT_LUNG, LEFT_LUNG, HEART)
WHOLE = Geometry(original_shape=(SIZE, SIZE), model_size=SIZE, content=(0, 0, SIZE, SIZE))


def boxes(*, right=(20, 56), left=(72, 108), heart=(50, 90)):
    """Return outlines of boxes; each pair is columns from…to."""
    outlines = np.zeros((3, SIZE, SIZE), dtype=np.float32)
    outlines[0, 20:100, slice(*right)] = 1
    outlines[1, 20:100, slice(*left)] = 1
    outlines[2, 60:100, slice(*heart)] = 1
    return outlines


def measured(outlines, geometry=WHOLE):
    return measure_anatomy(outlines, ORGANS, geometry)


def test_boxes_measure_what_they_are():
    found = measured(boxes())

    assert found.cardiothoracic_ratio == pytest.approx(40 / 88)
    assert (found.heart.start, found.heart.stop) == pytest.approx((50, 90))
    assert (found.thorax.start, found.thorax.stop) == pytest.approx((20, 108))
    assert found.heart.row == pytest.approx(80)
    assert found.right_lung_share == pytest.approx(0.5)
    assert found.doubts == ()


@given(
    scale=st.floats(0.5, 6.0),
    top=st.integers(0, 20),
    left=st.integers(0, 20),
)
@settings(max_examples=30)
def test_spans_are_in_pixels_of_the_original(scale, top, left):
    content = (top, left, SIZE - top, SIZE - left)
    height, width = SIZE - 2 * top, SIZE - 2 * left
    original = (max(1, round(height * scale)), max(1, round(width * scale)))
    geometry = Geometry(original_shape=original, model_size=SIZE, content=content)
    outlines = boxes()

    found = measured(outlines, geometry)

    across = original[1] / width
    assert found.heart.start == pytest.approx((50 - left) * across)
    assert found.heart.stop == pytest.approx((90 - left) * across)
    assert found.cardiothoracic_ratio == pytest.approx(40 / 88)


@given(seed=st.integers(0, 10_000))
@example(seed=1678)  # the heart reaches the chest wall and cuts the left lung in two
@settings(max_examples=10)
def test_blurred_masks_of_a_simulated_chest_give_its_ratio(seed):
    radiograph = simulate(sample_parameters(np.random.default_rng(seed)), size=256, seed=seed)
    masks = np.stack([radiograph.right_lung, radiograph.left_lung, radiograph.heart])
    _, geometry = Preprocessing(size=256).fit(radiograph.pixels)
    # a network's outlines are soft: full inside and none outside, with some pixels between
    outlines = np.stack([gaussian_filter(mask.astype(np.float32), 0.8) for mask in masks])

    found = measured(outlines, geometry)

    assert found.cardiothoracic_ratio == pytest.approx(radiograph.cardiothoracic_ratio, abs=0.02)


def test_edges_lie_between_pixels():
    outlines = boxes()
    outlines[2, 60:100, 49] = 0.25  # a quarter of a pixel more heart
    outlines[2, 60:100, 90] = 0.4

    found = measured(outlines)

    assert 49 < found.heart.start < 50
    assert found.heart.stop > 90


def test_stray_pieces_and_holes_count_for_nothing():
    outlines = boxes()
    outlines[2, 2:6, 2:6] = 1
    outlines[0, 40:50, 30:40] = 0

    found, masks = measured(outlines), organ_masks(outlines, ORGANS)

    assert found == measured(boxes())
    assert masks.sum() == boxes().sum()


@pytest.mark.parametrize("gap", [0, 1])
def test_a_lung_that_the_heart_cuts_in_two_stays_whole(gap):
    outlines = boxes(heart=(50, 106))
    outlines[1, 60:90, 72:108] = 0  # the heart reaches the chest wall
    outlines[2, 60 + gap : 90 - gap, 106:108] = 1
    outlines[1, 110:114, 90:94] = 1  # a stray piece that the heart does not touch

    found, masks = measured(outlines), organ_masks(outlines, ORGANS)

    assert masks[1, 90:100, 72:108].all()
    assert masks[1, 20:60, 72:108].all()
    assert not masks[1, 105:].any()
    assert (found.thorax.start, found.thorax.stop) == pytest.approx((20, 108))


@pytest.mark.parametrize(
    ("outlines", "doubt"),
    [
        (boxes(right=(20, 20)), "a lung was not found"),
        (boxes(right=(48, 56)), "much smaller"),
        (boxes(heart=(60, 64)), "no plausible size"),
        (boxes(heart=(20, 108)), "the ratio is implausible"),
        (boxes()[[1, 0, 2]], "do not lie"),
        (boxes(heart=(14, 40)), "do not lie"),
        (gaussian_filter(boxes(), (0, 14, 14)), "unclear"),
    ],
)
def test_what_is_not_to_be_trusted_says_why(outlines, doubt):
    found = measured(np.asarray(outlines, dtype=np.float32))

    assert any(doubt in text for text in found.doubts), found.doubts


def test_one_lung_is_no_thorax():
    found = measured(boxes(left=(72, 72)))

    assert found.thorax is None
    assert found.cardiothoracic_ratio is None
    assert found.heart is not None


def test_the_padding_holds_no_organ():
    outlines = boxes()
    outlines[0, :, :8] = 1  # beside the image
    geometry = Geometry(
        original_shape=(SIZE, SIZE - 20), model_size=SIZE, content=(0, 10, 128, 118)
    )

    found = measured(outlines, geometry)

    assert found.thorax.start == pytest.approx(10)


def test_nothing_found_measures_nothing():
    found = measured(np.zeros((3, SIZE, SIZE), dtype=np.float32))

    assert found.cardiothoracic_ratio is None
    assert found.heart is None
    assert found.doubts


def test_other_organs_are_not_measured():
    assert measure_anatomy(boxes()[:2], (RIGHT_LUNG, LEFT_LUNG), WHOLE) is None


@pytest.mark.parametrize(
    ("ratio", "view", "present", "disagrees"),
    [
        (0.57, View.PA, False, True),
        (0.57, View.AP, False, False),
        (0.62, View.AP, False, True),
        (0.57, View.PA, True, False),
        (0.40, View.PA, True, True),
        (0.40, View.PA, False, False),
        (0.50, View.PA, False, False),
    ],
)
def test_ratio_and_finding_may_disagree(ratio, view, present, disagrees):
    anatomy = Anatomy(cardiothoracic_ratio=ratio, heart=None, thorax=None, right_lung_share=0.5)
    word = disagreement(anatomy, view, cardiomegaly=present)
    assert (word is not None) == disagrees
    if word:
        assert f"{ratio:.2f}" in word


def test_doubtful_outlines_disagree_with_nothing():
    doubtful = Anatomy(
        cardiothoracic_ratio=0.8, heart=None, thorax=None, right_lung_share=0.5, doubts=("x",)
    )
    assert disagreement(doubtful, View.PA, cardiomegaly=False) is None


def test_lungs_have_areas_in_the_unit_that_is_known():
    geometry = Geometry(
        original_shape=(2 * SIZE, 4 * SIZE), model_size=SIZE, content=(0, 0, SIZE, SIZE)
    )
    unknown = measured(boxes())
    known = measure_anatomy(boxes(left=(72, 90)), ORGANS, geometry, (0.5, 0.2))

    assert unknown.right_lung.area_cm2 is None
    assert unknown.right_lung.share == pytest.approx(80 * 36 / SIZE**2)
    assert known.right_lung.area_cm2 == pytest.approx(80 * 36 * (2 * 0.5) * (4 * 0.2) / 100)
    assert known.left_lung.area_cm2 == pytest.approx(known.right_lung.area_cm2 / 2)
    assert known.right_lung_share == pytest.approx(2 / 3)


def test_each_lung_has_its_own_costophrenic_angle():
    outlines = boxes()
    outlines[1, 84:100] = np.tri(16, SIZE, 91)[::-1] * outlines[1, 84:100]  # a blunt left corner

    found = measured(outlines)

    assert found.right_lung.costophrenic_angle_degrees == pytest.approx(90, abs=3)
    assert found.left_lung.costophrenic_angle_degrees > 110
    assert measured(boxes(left=(72, 72))).left_lung is None


def test_angles_are_measured_in_the_original_and_not_in_a_squeezed_copy():
    """A file whose pixels are not square, as its spacing says, has the angles of the patient."""
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    outlines = boxes()
    outlines[0] *= (100 - rows) > 0.5 * (columns - 20)  # the diaphragm rises 0.5 a pixel inward

    square = measured(outlines).right_lung.costophrenic_angle_degrees
    tall = measure_anatomy(outlines, ORGANS, WHOLE, (2.0, 1.0)).right_lung

    assert square == pytest.approx(np.degrees(np.arctan2(1, 0.5)), abs=3)
    assert tall.costophrenic_angle_degrees == pytest.approx(45, abs=3)


def test_masks_of_the_same_outlines_are_equal_and_belong_to_whoever_asked():
    outlines = np.zeros((3, 32, 32), dtype=np.float32)
    outlines[:, 4:20, 4:12] = 1
    first = organ_masks(outlines, ORGANS)
    expected = first.copy()
    first[:] = False
    assert np.array_equal(organ_masks(outlines, ORGANS), expected)
    outlines[2] = 0
    assert not organ_masks(outlines, ORGANS)[2].any()
