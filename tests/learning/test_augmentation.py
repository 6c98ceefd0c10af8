"""Random changes of an image: decided by the seed alone, and anatomical."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("monai")
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.config import AugmentationConfig

pytestmark = pytest.mark.train

SIZE = 64
OFF = AugmentationConfig(
    rotation_degrees=0.0,
    shift=0.0,
    zoom=0.0,
    flip_probability=0.0,
    gamma=0.0,
    blur_sigma=0.0,
    noise=0.0,
    dropout_boxes=0,
)
EVERYTHING = AugmentationConfig(flip_probability=0.5, blur_sigma=2.0, dropout_boxes=4)


def noise_image(seed=0, size=SIZE):
    return np.random.default_rng(seed).random((size, size), dtype=np.float32)


def bright_box(rows, columns):
    square = np.zeros((SIZE, SIZE), dtype=np.float32)
    square[rows[0] : rows[1], columns[0] : columns[1]] = 1.0
    return square


def extent(square):
    """Return center row, center column, height and width of what is bright."""
    rows, columns = np.nonzero(square > 0.5)
    return rows.mean(), columns.mean(), np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.fixture(scope="module")
def everything():
    return Augmentation(EVERYTHING, SIZE)


@given(seed=st.integers(0, 2**32 - 1), content=st.integers(0, 50))
@settings(max_examples=40)
def test_shape_kind_and_range_stay(everything, seed, content):
    square = noise_image(content)
    before = square.copy()

    changed = everything(square, seed=seed)

    assert changed.shape == (SIZE, SIZE)
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    np.testing.assert_array_equal(square, before)


@given(seed=st.integers(0, 2**32 - 1), earlier=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_the_change_depends_on_the_seed_alone(everything, seed, earlier):
    square = noise_image()
    everything(noise_image(1), seed=earlier)  # what was drawn before does not matter

    again = Augmentation(EVERYTHING, SIZE)(square, seed=seed)

    np.testing.assert_array_equal(everything(square, seed=seed), again)


def test_the_seed_of_the_process_does_not_matter(everything):
    square = noise_image()
    results = []
    for process_seed in (0, 1):
        np.random.seed(process_seed)  # noqa: NPY002 - the generator that libraries share
        results.append(everything(square, seed=5))
    np.testing.assert_array_equal(*results)


def test_seeds_change_an_image_differently(everything):
    square = noise_image()
    assert len({everything(square, seed=seed).tobytes() for seed in range(20)}) == 20


def test_strengths_of_zero_leave_the_image_as_it_is():
    square = noise_image()
    np.testing.assert_array_equal(Augmentation(OFF, SIZE)(square, seed=1), square)


def test_a_shift_moves_in_both_directions_and_no_further_than_asked_for():
    shift = Augmentation(replace(OFF, shift=0.2), SIZE)
    box = bright_box((28, 36), (28, 36))

    moves = np.array([extent(shift(box, seed=seed)) for seed in range(60)])

    rows, columns = moves[:, 0] - 31.5, moves[:, 1] - 31.5
    for moved in (rows, columns):
        assert moved.min() < -6
        assert moved.max() > 6
        assert np.abs(moved).max() <= 0.2 * SIZE + 1
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.5


def test_zoom_keeps_the_shape_of_a_chest():
    zoom = Augmentation(replace(OFF, zoom=0.4), SIZE)
    box = bright_box((22, 42), (17, 47))  # 20 by 30

    sizes = np.array([extent(zoom(box, seed=seed))[2:] for seed in range(40)])

    assert sizes[:, 0].min() < 17
    assert sizes[:, 0].max() > 25
    np.testing.assert_allclose(sizes[:, 1], sizes[:, 0] * 1.5, atol=2)


def test_rotation_turns_both_ways_and_no_further_than_asked_for():
    turn = Augmentation(replace(OFF, rotation_degrees=10.0), SIZE)
    bar = bright_box((31, 33), (6, 58))

    angles = []
    for seed in range(40):
        rows, columns = np.nonzero(turn(bar, seed=seed) > 0.4)
        angles.append(np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0])))

    assert min(angles) < -5
    assert max(angles) > 5
    assert np.abs(angles).max() < 10.5


def test_a_flip_mirrors_left_and_right_only():
    square = noise_image()
    flipped = Augmentation(replace(OFF, flip_probability=1.0), SIZE)(square, seed=0)
    np.testing.assert_array_equal(flipped, square[:, ::-1])


def test_the_defaults_never_mirror_a_chest():
    heart = bright_box((20, 50), (34, 60))
    default = Augmentation(AugmentationConfig(), SIZE)
    assert all(extent(default(heart, seed=seed))[1] > 36 for seed in range(30))


def test_boxes_are_grey_and_at_most_an_eighth_of_the_side():
    boxes = Augmentation(replace(OFF, dropout_boxes=1), SIZE)

    for seed in range(30):
        changed = boxes(np.zeros((SIZE, SIZE), dtype=np.float32), seed=seed)
        rows, columns = np.nonzero(changed)
        if rows.size:
            assert set(np.unique(changed)) == {0.0, 0.5}
            assert max(np.ptp(rows), np.ptp(columns)) < SIZE // 8


def test_stretch_changes_the_height_against_the_width():
    stretch = Augmentation(replace(OFF, stretch=0.3), SIZE)
    box = bright_box((22, 42), (17, 47))  # 20 by 30

    sizes = np.array([extent(stretch(box, seed=seed))[2:] for seed in range(40)])

    assert sizes[:, 0].min() < 17
    assert sizes[:, 0].max() > 25
    np.testing.assert_allclose(sizes[:, 1], 30, atol=1)
