"""Points to draw, against scikit-learn's curve and the reported calibration error."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from medcxr.core.errors import DataError
from medcxr.evaluation.curves import reliability_bins, roc_points

examples = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12)), min_size=2, max_size=80
).filter(lambda pairs: len({label for label, _ in pairs}) == 2)


def _arrays(pairs):
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores) / 12


@given(examples)
def test_every_roc_point_is_one_of_scikit_learn(pairs):
    labels, probabilities = _arrays(pairs)
    alarms, found, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    oracle = dict(zip(thresholds, zip(found, alarms, strict=True), strict=True))
    for point in roc_points(labels, probabilities):
        threshold = np.inf if point.threshold is None else point.threshold
        expected = (point.sensitivity, point.false_positive_rate)
        assert oracle[threshold] == pytest.approx(expected, abs=1e-12)


@given(examples)
def test_the_area_under_the_roc_points_is_the_auc(pairs):
    labels, probabilities = _arrays(pairs)
    points = roc_points(labels, probabilities)
    area = np.trapezoid(
        [point.sensitivity for point in points], [point.false_positive_rate for point in points]
    )
    assert area == pytest.approx(roc_auc_score(labels, probabilities), abs=1e-12)


def test_many_images_give_few_points_and_nearly_the_same_area():
    generator = np.random.default_rng(0)
    probabilities = generator.random(20_000)
    labels = (generator.random(20_000) < probabilities).astype(float)
    points = roc_points(labels, probabilities)
    assert len(points) == 400
    assert (points[0].sensitivity, points[0].false_positive_rate) == (0, 0)
    assert (points[-1].sensitivity, points[-1].false_positive_rate) == (1, 1)
    area = np.trapezoid(
        [point.sensitivity for point in points], [point.false_positive_rate for point in points]
    )
    assert area == pytest.approx(roc_auc_score(labels, probabilities), abs=1e-3)


@given(examples, st.integers(1, 20))
def test_reliability_bins_hold_every_image_once_and_rise(pairs, n_bins):
    labels, probabilities = _arrays(pairs)
    bins = reliability_bins(labels, probabilities, n_bins=n_bins)
    assert sum(one.n_images for one in bins) == len(labels)
    assert len(bins) <= n_bins
    means = [one.mean_probability for one in bins]
    assert all(low < high for low, high in pairwise(means))
    found = sum(one.n_images * one.observed for one in bins)
    assert found == pytest.approx(labels.sum())


def test_distinct_probabilities_make_bins_of_equal_mass():
    probabilities = np.linspace(0, 0.2, 1000)  # all low, as for a rare finding
    bins = reliability_bins(np.zeros(1000), probabilities)
    assert [one.n_images for one in bins] == [100] * 10


def test_equal_probabilities_share_a_bin():
    bins = reliability_bins([1, 0, 0, 0] * 25, [0.25] * 100)
    assert [(one.n_images, one.mean_probability, one.observed) for one in bins] == [
        (100, 0.25, 0.25)
    ]


def test_wrong_input_is_refused():
    with pytest.raises(DataError, match="positive and negative"):
        roc_points([1, np.nan], [0.2, 0.3])
    with pytest.raises(DataError, match="at least 1"):
        reliability_bins([np.nan], [0.2])
    with pytest.raises(DataError, match="at least 1"):
        reliability_bins([1], [0.2], n_bins=0)
    with pytest.raises(DataError, match=r"Probability -0\.5"):
        reliability_bins([1], [-0.5])
