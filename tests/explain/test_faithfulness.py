"""A map that tells the truth passes; one that knows nothing does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.explain.faithfulness import (
    centered_ellipse,
    deletion_area,
    ends,
    energy_inside,
    in_places,
    insertion_area,
    points_inside,
    random_map,
)
from medcxr.explain.occlusion import (
    blurred,
    cell_masks,
    hidden,
    occlusion_maps,
    places_per_side,
)

SIZE, GRID = 64, 8


def spotted(row, column):
    """Return an input, dark but for a bright spot in one cell, and a score that looks only there."""
    x = np.zeros((3, SIZE, SIZE), dtype=np.float32)
    cell = cell_masks(SIZE, GRID)[row * GRID + column]
    x[:, cell] = 4.0

    def score(inputs):
        there = inputs[:, 0][:, cell].mean(axis=1)
        elsewhere = inputs[:, 0][:, ~cell].mean(axis=1)
        return np.stack([there, -elsewhere], axis=1)

    truth = np.zeros((GRID, GRID), dtype=np.float32)
    truth[row, column] = 1
    return x, score, truth


@given(size=st.integers(8, 70), grid=st.integers(1, 8))
@settings(max_examples=40)
def test_cells_divide_the_image(size, grid):
    masks = cell_masks(size, grid)

    assert masks.shape == (grid * grid, size, size)
    assert (masks.sum(axis=0) == 1).all()
    assert masks[0, 0, 0]
    assert masks[-1, -1, -1]
    if grid > 1:
        assert masks[1, 0, -1] == (grid == 2)  # the second cell lies to the right


@pytest.mark.parametrize("place", [(0, 0), (2, 5), (7, 3)])
def test_occlusion_finds_what_the_score_looks_at(place):
    x, score, _ = spotted(*place)

    maps = occlusion_maps(score, x, grid=GRID)

    assert maps.shape == (2, GRID, GRID)
    assert np.unravel_index(maps[0].argmax(), (GRID, GRID)) == place
    assert maps[0].max() > 10 * np.sort(maps[0].ravel())[-2]


@pytest.mark.parametrize("place", [(0, 0), (2, 6), (7, 1)])
def test_the_true_map_beats_those_that_know_nothing(place):
    x, score, truth = spotted(*place)

    for rival in (centered_ellipse(GRID), random_map(GRID, 1), -truth):
        assert deletion_area(score, x, truth, 0) < deletion_area(score, x, rival, 0) - 0.05
        assert insertion_area(score, x, truth, 0) > insertion_area(score, x, rival, 0) + 0.05


def test_curves_run_from_the_whole_image_to_the_blurred_one():
    x, score, truth = spotted(3, 3)
    seen = []

    def watched(inputs):
        seen.extend(inputs)
        return score(inputs)

    deletion_area(watched, x, truth, 0, steps=4)
    insertion_area(watched, x, truth, 0, steps=4)

    deleted, inserted = np.stack(seen[:5]), np.stack(seen[5:])
    assert deleted.shape == inserted.shape == (5, 3, SIZE, SIZE)
    assert np.array_equal(deleted[0], x)
    assert np.array_equal(deleted[-1], blurred(x))
    assert np.array_equal(inserted[0], blurred(x))
    assert np.array_equal(inserted[-1], x)


@pytest.mark.parametrize("area", [deletion_area, insertion_area])
def test_known_ends_save_looks_and_change_nothing(area):
    x, score, truth = spotted(4, 1)
    looks = []

    def watched(inputs):
        looks.extend(inputs)
        return score(inputs)

    known = ends(score, x, 0)

    assert area(watched, x, truth, 0, known=known) == pytest.approx(area(score, x, truth, 0))
    assert len(looks) == 7


def test_a_hidden_place_is_blurred_and_the_rest_is_not():
    x, _, _ = spotted(1, 1)
    mask = cell_masks(SIZE, GRID)[9]

    changed = hidden(x, blurred(x), mask)

    assert np.array_equal(changed[:, ~mask], x[:, ~mask])
    assert changed[:, mask].max() < x[:, mask].max()


def test_the_pointing_game_and_energy():
    evidence = np.array([[3.0, -5.0], [1.0, 0.0]])
    left = np.array([[True, False], [True, False]])

    assert points_inside(evidence, left)
    assert not points_inside(evidence, ~left)
    assert energy_inside(evidence, np.array([[True, True], [False, False]])) == pytest.approx(0.75)
    assert np.isnan(energy_inside(-np.ones((2, 2)), left))


def test_the_ellipse_is_strongest_in_the_middle_and_the_same_on_both_sides():
    ellipse = centered_ellipse(9)

    assert ellipse.argmax() == 40
    assert np.allclose(ellipse, ellipse[:, ::-1])
    assert ellipse[4, 0] < ellipse[0, 4]  # a thorax is higher than it is wide


def test_a_fine_map_says_of_a_place_what_its_tokens_say_together():
    fine = np.arange(16, dtype=np.float32).reshape(4, 4) - 3
    coarse = in_places(fine, 2)
    assert coarse[0, 1] == fine[:2, 2:].sum()
    assert coarse.sum() == fine.sum()
    np.testing.assert_array_equal(in_places(fine, 4), fine)


@pytest.mark.parametrize(("grid", "places"), [(7, 7), (8, 8), (14, 7), (12, 6), (10, 5), (1, 1)])
def test_a_reader_waits_for_no_more_than_64_looks(grid, places):
    assert places_per_side(grid) == places
