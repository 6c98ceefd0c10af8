"""Lines of resamples: found where they exist, refused where they do not."""

import numpy as np
import pytest

from medcxr.evaluation.logistic import fit_line, refit_intercepts, refit_slopes

X = np.array([-2.0, -1.0, 0.5, 1.0, 2.0, 3.0])
LABELS = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])


def test_a_refit_of_the_sample_itself_changes_nothing():
    slope, intercept = fit_line(X, LABELS)
    refitted = refit_slopes(X, LABELS, np.ones((1, 6)), start=(slope, intercept))
    assert refitted[0] == pytest.approx(slope, abs=1e-5)


def test_a_refit_does_not_depend_on_its_start():
    near, far = (refit_slopes(X, LABELS, np.ones((1, 6)), start=(at, 0.0)) for at in (0.4, -0.5))
    assert near == pytest.approx(far, abs=1e-9)


def test_resamples_that_determine_no_slope_have_none():
    weights = np.array(
        [
            [1, 1, 1, 1, 1, 1],
            [1, 0, 1, 1, 0, 1],  # 0 0 1 1: separated
            [0, 0, 0, 0, 3, 3],  # 0 1, separated
            [6, 0, 0, 0, 0, 0],  # a single image
            [0, 2, 0, 2, 0, 2],  # a single class
        ],
        dtype=float,
    )
    slopes = refit_slopes(X, LABELS, weights, start=fit_line(X, LABELS))
    assert np.isnan(slopes).tolist() == [False, True, True, True, True]


def test_resamples_of_a_single_class_determine_no_intercept():
    weights = np.array([[1, 1, 1, 1, 1, 1], [0, 2, 0, 2, 0, 2]], dtype=float)
    assert np.isnan(refit_intercepts(X, LABELS, weights, start=0.0)).tolist() == [False, True]
