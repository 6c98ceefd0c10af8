"""Cases on a plane: the boundary is exact, the second axis is scikit-learn's, the nearest is it."""

import numpy as np
import pytest

from medcxr.explain.case_drawing import draw_cases
from medcxr.explain.case_map import place_among


@pytest.fixture
def cases():
    random = np.random.default_rng(3)
    evidence = random.normal(size=(60, 12)).astype(np.float32)
    evidence[:, 3] *= 0.01
    evidence[:, 5] = evidence[:, 7] * 2 + 0.1 * evidence[:, 5]
    logits = (evidence[:, :4].sum(axis=1) + 0.2 * random.normal(size=60)).astype(np.float32)
    return logits, evidence


def test_across_is_the_logit(cases):
    placement = place_among(*cases, 1.25, cases[1][0], n_neighbors=3)

    assert placement.case[0] == 1.25
    assert np.allclose(placement.across, cases[0])


def test_up_is_the_first_principal_component_of_what_the_logit_does_not_say(cases):
    decomposition = pytest.importorskip("sklearn.decomposition")
    linear = pytest.importorskip("sklearn.linear_model")
    logits, evidence = cases
    scaled = (evidence - evidence.mean(axis=0)) / evidence.std(axis=0)
    fitted = linear.LinearRegression().fit(logits[:, np.newaxis], scaled)
    rest = scaled - fitted.predict(logits[:, np.newaxis])
    expected = decomposition.PCA(1).fit(rest.astype(np.float64))

    placement = place_among(logits, evidence, 0.0, evidence[0], n_neighbors=3)

    first = expected.transform(rest)[:, 0]
    assert abs(np.corrcoef(first, placement.up)[0, 1]) == pytest.approx(1.0)
    assert placement.spread_shown == pytest.approx(expected.explained_variance_ratio_[0], rel=1e-4)
    assert placement.up.std() == pytest.approx(1.0)
    assert abs(np.corrcoef(placement.up, logits)[0, 1]) < 1e-5


def test_a_case_that_is_there_stands_where_it_is_and_is_its_own_neighbor(cases):
    logits, evidence = cases

    placement = place_among(logits, evidence, float(logits[17]), evidence[17], n_neighbors=4)

    assert placement.neighbors[0] == 17
    assert placement.distances[0] == pytest.approx(0.0, abs=1e-6)
    assert list(placement.distances) == sorted(placement.distances)
    assert placement.case[1] == pytest.approx(placement.up[17], abs=1e-6)


def test_a_distance_of_one_is_usual(cases):
    logits, evidence = cases
    squares = [
        place_among(logits, evidence, 0.0, one, n_neighbors=60).distances ** 2 for one in evidence
    ]

    between_two = np.sum(squares) / (60 * 59)
    assert np.sqrt(between_two) == pytest.approx(np.sqrt(60 / 59), rel=1e-5)


def test_numbers_that_never_change_say_nothing(cases):
    logits, evidence = cases
    constant = np.column_stack([evidence, np.full(60, 3.0, dtype=np.float32)])

    with_it = place_among(logits, constant, 0.0, constant[0], n_neighbors=5)
    without = place_among(logits, evidence, 0.0, evidence[0], n_neighbors=5)

    assert with_it.neighbors == without.neighbors
    assert np.allclose(with_it.up, without.up)


def test_the_picture_has_a_line_only_where_there_is_a_threshold(cases):
    placement = place_among(*cases, 0.5, cases[1][0], n_neighbors=3)
    labels = [True, False, None] * 20

    plain = draw_cases(placement, labels, "Effusion", None)
    drawn = draw_cases(placement, labels, "Effusion", 0.0)

    assert plain.shape == drawn.shape == (640, 900, 3)
    dark = (drawn < 60).all(axis=2).sum(axis=0)
    assert dark.max() > 400  # a line from top to bottom
    assert (plain < 60).all(axis=2).sum(axis=0).max() < 200
    assert len({tuple(color) for color in drawn.reshape(-1, 3)}) > 4
