"""What must be hidden to change an answer."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medcxr.core.geometry import Geometry
from medcxr.core.results import FindingResult
from medcxr.explain.area_drawing import draw_area
from medcxr.explain.occlusion import blurred, cell_masks, hidden, occlusion_maps
from medcxr.explain.what_if import hidden_places, smallest_occlusion, told_what_if

SIZE, GRID = 64, 8
CELLS = cell_masks(SIZE, GRID)


def answer(probability, threshold=0.5):
    return FindingResult(
        finding="Effusion",
        logit=0.0,
        probability=probability,
        threshold=threshold,
        present=probability >= threshold,
    )


def bright_cells(*places):
    """Return an input with bright cells, and the share of their brightness that is left."""
    x = np.zeros((3, SIZE, SIZE), dtype=np.float32)
    for row, column in places:
        x[:, CELLS[row * GRID + column]] = 8.0
    bright = x[0] > 0
    haze = float(blurred(x)[0][bright].mean())

    def score(inputs):
        left = (inputs[:, 0][:, bright].mean(axis=1, dtype=np.float64) - haze) / (8.0 - haze)
        # the same for an image alone and among others, also at the threshold
        return np.clip(left.round(4), 0, 1)[:, np.newaxis].astype(np.float32)

    return x, score


@given(places=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=4, max_size=6))
@example(places={(0, 1), (3, 0), (1, 4), (1, 5)})
@settings(max_examples=15)
def test_places_are_hidden_until_the_answer_changes_and_not_longer(places):
    x, score = bright_cells(*places)
    falls = occlusion_maps(score, x, grid=GRID)[0]
    before = float(score(x[np.newaxis])[0, 0])

    change = smallest_occlusion(score, x, falls, answer(before), 0)

    assert change.changes
    assert set(change.places) <= places
    haze = blurred(x)

    def without(count):
        chosen = [CELLS[row * GRID + column] for row, column in change.places[:count]]
        return float(score(hidden(x, haze, np.any(chosen, axis=0))[np.newaxis])[0, 0])

    assert without(len(change.places)) == pytest.approx(change.changed_probability, abs=1e-4)
    assert without(len(change.places)) < 0.5
    if len(change.places) > 1:
        assert without(len(change.places) - 1) >= 0.5
    assert change.share == len(change.places) / GRID**2


def test_an_absent_finding_becomes_present_when_what_speaks_against_it_is_hidden():
    x, score = bright_cells((1, 1), (5, 6), (6, 6))

    def absence(inputs):
        return 1 - score(inputs)

    falls = occlusion_maps(absence, x, grid=GRID)[0]

    change = smallest_occlusion(absence, x, falls, answer(0.0), 0)

    assert change.changes
    assert change.changed_probability >= 0.5
    assert set(change.places) <= {(1, 1), (5, 6), (6, 6)}
    assert hidden_places(change).sum() == len(change.places)


def test_it_is_said_when_nothing_changes_the_answer():
    x, _ = bright_cells((1, 1))

    change = smallest_occlusion(
        lambda inputs: np.full((len(inputs), 1), 0.9, dtype=np.float32),
        x,
        np.zeros((GRID, GRID), dtype=np.float32),
        answer(0.9),
        0,
    )

    assert not change.changes
    assert change.share == 1.0
    assert len(change.places) == GRID**2
    told = told_what_if(change)
    assert "does not change this: with the whole image hidden it is 90.0%" in told


def test_the_change_is_told_in_a_sentence():
    x, score = bright_cells((2, 3))
    change = smallest_occlusion(score, x, occlusion_maps(score, x, grid=GRID)[0], answer(1.0), 0)

    told = told_what_if(change)

    assert "counts as present (present from 50.0%)" in told
    assert "Hiding the 1 place that speaks most" in told
    assert told.endswith("absent.")
    assert asdict(change)["places"] == ((2, 3),)


def test_the_line_surrounds_the_hidden_places_of_the_original():
    places = np.zeros((GRID, GRID), dtype=np.bool_)
    places[2, 3:5] = True
    # 200 rows and 100 columns, laid into the middle half of the square's columns
    geometry = Geometry(original_shape=(200, 100), model_size=64, content=(0, 16, 64, 48))
    gray = np.full((200, 100), 90, dtype=np.uint8)

    drawn = draw_area(gray, places, geometry)

    rows, columns = np.nonzero((drawn != 90).any(axis=2))
    assert (rows.min(), rows.max()) == (50, 74)
    assert (columns.min(), columns.max()) == (25, 74)
    assert (drawn[60, 40] == 90).all()  # within
    assert (gray == 90).all()
